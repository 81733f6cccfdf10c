//! Percentiles of histograms: an aggregate function over the column `durations` of rollups.

use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, Expr, GroupsAccumulator, Signature,
    Volatility,
};
use throughline_telemetry::HistogramSum;

/// The percentile, 0 to 100, of the histograms in a column, in milliseconds; null without values.
pub(crate) fn percentile_of(percent: f64, histograms: Expr) -> Expr {
    AggregateUDF::new_from_impl(Percentile::new(percent)).call(vec![histograms])
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Percentile {
    name: String,
    /// Of a double, which has neither equality nor a hash.
    percent_bits: u64,
    signature: Signature,
}

impl Percentile {
    fn new(percent: f64) -> Self {
        Percentile {
            // Of its own for each, because functions are told apart by their names.
            name: format!("histogram_percentile_{percent}"),
            percent_bits: percent.to_bits(),
            signature: Signature::exact(vec![DataType::Binary], Volatility::Immutable),
        }
    }

    fn sums(&self) -> Sums {
        Sums {
            percent: f64::from_bits(self.percent_bits),
            groups: Vec::new(),
        }
    }
}

impl AggregateUDFImpl for Percentile {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format!("{}[histogram]", args.name);
        Ok(vec![Arc::new(Field::new(name, DataType::Binary, true))])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let mut sums = self.sums();
        sums.groups.push(HistogramSum::default());
        Ok(Box::new(sums))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.sums()))
    }
}

/// The histograms of groups; of one, where there are no groups.
#[derive(Debug)]
struct Sums {
    percent: f64,
    groups: Vec<HistogramSum>,
}

impl Sums {
    fn add(&mut self, histograms: &BinaryArray, group_of: impl Fn(usize) -> Option<usize>) {
        for row in 0..histograms.len() {
            if let Some(group) = group_of(row)
                && histograms.is_valid(row)
            {
                self.groups[group].add(histograms.value(row));
            }
        }
    }

    fn bytes(&self) -> usize {
        let groups = self.groups.iter().map(HistogramSum::memory_bytes);
        groups.sum::<usize>() + self.groups.capacity() * size_of::<HistogramSum>()
    }
}

impl Accumulator for Sums {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values[0].as_binary(), |_| Some(0));
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let found = self.groups[0].percentile(self.percent);
        Ok(ScalarValue::Float64(found))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.groups[0].to_bytes()))])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        Accumulator::update_batch(self, states)
    }
}

impl GroupsAccumulator for Sums {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize_with(total_num_groups, Default::default);
        let counts =
            |row: usize| opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        self.add(values[0].as_binary(), |row| {
            counts(row).then(|| group_indices[row])
        });
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        let found = groups.iter().map(|group| group.percentile(self.percent));
        Ok(Arc::new(found.collect::<Float64Array>()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = emit_to.take_needed(&mut self.groups);
        let states = groups.iter().map(HistogramSum::to_bytes);
        Ok(vec![Arc::new(BinaryArray::from_iter_values(states))])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        GroupsAccumulator::update_batch(self, values, group_indices, None, total_num_groups)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let Some(filter) = opt_filter else {
            return Ok(vec![Arc::clone(&values[0])]);
        };
        let counted = arrow::compute::nullif(&values[0], &arrow::compute::not(filter)?)?;
        Ok(vec![counted])
    }

    fn size(&self) -> usize {
        self.bytes()
    }
}
