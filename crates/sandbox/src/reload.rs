//! New environments for functions whose code has changed.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::code::{Preparer, Watch};
use crate::gateway::Gateway;
use crate::invoke::Activity;
use crate::pool::Pool;

/// Reloads functions as they change, for ever. What cannot be prepared stays as it was, until it changes again.
pub(crate) async fn run(
    watch: Watch,
    preparer: Arc<Preparer>,
    gateway: Arc<Gateway>,
    activity: broadcast::Sender<Activity>,
) {
    loop {
        let changed = watch.changed().await;
        let pools = gateway
            .pools()
            .filter(|pool| changed.contains(&pool.function.name));
        for pool in pools.cloned().collect::<Vec<_>>() {
            let function = pool.function.name.clone();
            let told = match reload(&preparer, pool).await {
                Ok(()) => Activity::Reloaded { function },
                Err(problem) => Activity::NotReloaded { function, problem },
            };
            // Nobody has to watch.
            let _ = activity.send(told);
        }
    }
}

async fn reload(preparer: &Arc<Preparer>, pool: Arc<Pool>) -> Result<(), String> {
    let (preparer, function) = (preparer.clone(), pool.function.clone());
    let prepared = tokio::task::spawn_blocking(move || preparer.prepare(&function)).await;
    let prepared = prepared.map_err(|error| error.to_string())??;
    pool.reload(prepared).map_err(|error| error.to_string())
}
