//! How the state is written down: histograms as their bytes, times as numbers, maps as lists of pairs.

pub(super) mod histogram {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use throughline_telemetry::HistogramSum;

    pub(in crate::detect) fn serialize<S: Serializer>(
        sum: &HistogramSum,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        sum.to_bytes().serialize(to)
    }

    pub(in crate::detect) fn deserialize<'a, D: Deserializer<'a>>(
        from: D,
    ) -> Result<HistogramSum, D::Error> {
        let mut sum = HistogramSum::default();
        sum.add(&Vec::deserialize(from)?);
        Ok(sum)
    }
}

pub(super) mod nanos {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use throughline_telemetry::UnixNanos;

    pub(in crate::detect) fn serialize<S: Serializer>(
        at: &UnixNanos,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        at.0.serialize(to)
    }

    pub(in crate::detect) fn deserialize<'a, D: Deserializer<'a>>(
        from: D,
    ) -> Result<UnixNanos, D::Error> {
        u64::deserialize(from).map(UnixNanos)
    }
}

pub(super) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(in crate::detect) fn serialize<S: Serializer, K: Serialize, V: Serialize>(
        map: &BTreeMap<K, V>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(map)
    }

    pub(in crate::detect) fn deserialize<
        'a,
        D: Deserializer<'a>,
        K: Deserialize<'a> + Ord,
        V: Deserialize<'a>,
    >(
        from: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::deserialize(from)?.into_iter().collect())
    }
}
