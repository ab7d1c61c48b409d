//! Whether two subnets share addresses.

use std::net::IpAddr;

/// Whether two subnets in CIDR form share an address. What is no subnet shares none.
pub(super) fn overlap(a: &str, b: &str) -> bool {
    let (Some((a, a_bits)), Some((b, b_bits))) = (parse(a), parse(b)) else { return false };
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let shift = 32 - a_bits.min(b_bits).min(32);
            u64::from(a.to_bits()) >> shift == u64::from(b.to_bits()) >> shift
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let shift = 128 - a_bits.min(b_bits).min(128);
            // A shift by all bits is none that Rust makes.
            shift == 128 || a.to_bits() >> shift == b.to_bits() >> shift
        }
        _ => false,
    }
}

fn parse(subnet: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = subnet.split_once('/')?;
    Some((address.parse().ok()?, bits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn subnets_overlap_where_the_shorter_prefix_is_one() {
        for (a, b, expected) in [
            ("10.0.0.0/24", "10.0.0.0/24", true),
            ("10.0.0.0/16", "10.0.9.0/24", true),
            ("10.0.9.0/24", "10.0.0.0/16", true),
            ("10.0.0.0/24", "10.0.1.0/24", false),
            ("0.0.0.0/0", "10.0.1.0/24", true),
            ("::/0", "fd00::/8", true),
            ("fd00:1::/64", "fd00:2::/64", false),
            ("fd00:1::/32", "fd00:1:2::/64", true),
            ("fd00::/8", "10.0.0.0/8", false),
            ("nonsense", "10.0.0.0/8", false),
        ] {
            assert_eq!(overlap(a, b), expected, "{a} {b}");
        }
    }
}
