//! Stops what does not stop by itself.
//!
//! A query is dropped when nobody waits for it any more, and an operator notices when it next hands
//! out a batch. A join without an equality looks at every pair of rows before it has a batch to hand
//! out, which may take for ever. So its condition looks now and then whether the answer is still
//! wanted.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::joins::utils::JoinFilter;

/// Whether an answer is still wanted. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted(Arc<AtomicBool>);

/// Says that it is not, when it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(Wanted);

impl Wanted {
    /// As long as this lives, the answer is wanted.
    pub(crate) fn wait(&self) -> Waiting {
        Waiting(self.clone())
    }

    /// The same plan, but that it ends soon once the answer is not wanted.
    pub(crate) fn watch(&self, plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
        let watched = plan.transform_up(|plan| {
            let any: &dyn Any = &*plan;
            let Some(join) = any.downcast_ref::<NestedLoopJoinExec>() else {
                return Ok(Transformed::no(plan));
            };
            let filter = join.filter().map(|filter| {
                JoinFilter::new(
                    Arc::new(Watched {
                        condition: Arc::clone(filter.expression()),
                        wanted: self.clone(),
                    }),
                    filter.column_indices().to_vec(),
                    Arc::clone(filter.schema()),
                )
            });
            let projection = join.projection().as_ref().map(|columns| columns.to_vec());
            let join = NestedLoopJoinExec::try_new(
                Arc::clone(join.left()),
                Arc::clone(join.right()),
                filter,
                join.join_type(),
                projection,
            )?;
            Ok(Transformed::yes(Arc::new(join)))
        })?;
        Ok(watched.data)
    }

    /// Fails once the answer is not wanted.
    pub(crate) fn check(&self) -> Result<()> {
        match self.0.load(Ordering::Relaxed) {
            false => Ok(()),
            true => Err(DataFusionError::Execution("nobody waits for it".to_owned())),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// A condition that fails once its answer is not wanted.
#[derive(Debug)]
struct Watched {
    condition: Arc<dyn PhysicalExpr>,
    wanted: Wanted,
}

impl PhysicalExpr for Watched {
    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.wanted.check()?;
        self.condition.evaluate(batch)
    }

    fn return_field(&self, input: &Schema) -> Result<FieldRef> {
        self.condition.return_field(input)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.condition]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let condition = children.into_iter().next();
        Ok(Arc::new(Watched {
            condition: condition.unwrap_or_else(|| Arc::clone(&self.condition)),
            wanted: self.wanted.clone(),
        }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt_sql(f)
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        *self.condition == *other.condition
    }
}

impl Eq for Watched {}

impl Hash for Watched {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.condition.hash(state);
    }
}
