//! Who emitted a row: `service`, `resource`, `scope_name` and `scope_version`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use throughline_telemetry::wire::walk::{AttributeView, to_attributes};
use throughline_telemetry::{Resource, Scope};

use super::dictionary::DictionaryBuilder;
use super::rows::{column, typed};
use crate::segment::{Damage, value};

/// Builds the four columns. Rows come in runs of one resource and one scope.
#[derive(Debug, Default)]
pub(super) struct OwnerBuilder {
    columns: [DictionaryBuilder; 4],
    /// Of the run that is being built.
    keys: [i32; 4],
    #[cfg(test)]
    resource: Option<Arc<Resource>>,
    #[cfg(test)]
    scope: Option<Arc<Scope>>,
}

impl OwnerBuilder {
    /// The owner of the rows that follow.
    #[cfg(test)]
    pub(super) fn begin(&mut self, resource: &Arc<Resource>, scope: &Arc<Scope>) {
        let is_same = self
            .resource
            .as_ref()
            .is_some_and(|last| Arc::ptr_eq(last, resource));
        if !is_same {
            let text = value::attributes_to_json(&resource.attributes);
            self.begin_resource(&text, resource.service());
            self.resource = Some(Arc::clone(resource));
        }
        let is_same = self
            .scope
            .as_ref()
            .is_some_and(|last| Arc::ptr_eq(last, scope));
        if !is_same {
            self.begin_scope(&scope.name, &scope.version);
            self.scope = Some(Arc::clone(scope));
        }
    }

    /// The attributes of the resource of the rows that follow.
    pub(super) fn begin_resource_view(&mut self, attributes: &[AttributeView<'_>]) {
        let resource = Resource {
            attributes: to_attributes(attributes),
        };
        let text = value::attributes_to_json(&resource.attributes);
        self.begin_resource(&text, resource.service());
    }

    /// The resource of the rows that follow, as JSON, and its service.
    fn begin_resource(&mut self, json: &str, service: &str) {
        self.keys[0] = self.columns[0].key(service);
        self.keys[1] = self.columns[1].key(json);
    }

    /// The scope of the rows that follow.
    pub(super) fn begin_scope(&mut self, name: &str, version: &str) {
        self.keys[2] = self.columns[2].key(name);
        self.keys[3] = self.columns[3].key(version);
    }

    pub(super) fn push(&mut self) {
        for (column, key) in self.columns.iter_mut().zip(self.keys) {
            column.push(key);
        }
    }

    /// The columns, in the order of the schemas.
    pub(super) fn finish(self) -> [ArrayRef; 4] {
        self.columns.map(DictionaryBuilder::finish)
    }
}

/// The resources and scopes of a batch, each made once.
#[derive(Debug)]
pub(crate) struct Owners {
    resources: Vec<Arc<Resource>>,
    scopes: HashMap<(i32, i32), Arc<Scope>>,
}

impl Owners {
    /// Those of a canonical batch of any signal. Of a batch that comes from a file the dictionaries may
    /// have much that no row uses.
    pub(crate) fn read(batch: &RecordBatch) -> Result<Self, Damage> {
        let columns = OwnerColumns::new(batch)?;
        let texts = columns.resources;
        let mut resources: Vec<Option<Arc<Resource>>> = vec![None; texts.len()];
        for (row, key) in columns.resource_keys.iter().enumerate() {
            if row > 0 && columns.resource_keys[row - 1] == *key {
                continue;
            }
            let key = known(texts, *key)?;
            if resources[key].is_none() {
                let attributes = value::attributes_from_json(texts.value(key))?;
                resources[key] = Some(Arc::new(Resource { attributes }));
            }
        }
        let mut scopes = HashMap::new();
        let mut last = None;
        let pairs = columns.name_keys.iter().zip(columns.version_keys);
        for pair in pairs.map(|(name, version)| (*name, *version)) {
            if last == Some(pair) || scopes.contains_key(&pair) {
                continue;
            }
            last = Some(pair);
            let (names, versions) = (columns.names, columns.versions);
            let scope = Arc::new(Scope {
                name: names.value(known(names, pair.0)?).to_owned(),
                version: versions.value(known(versions, pair.1)?).to_owned(),
            });
            scopes.insert(pair, scope);
        }
        let unused = Arc::new(Resource::default());
        let resources = resources.into_iter();
        Ok(Owners {
            resources: resources
                .map(|made| made.unwrap_or_else(|| Arc::clone(&unused)))
                .collect(),
            scopes,
        })
    }
}

/// The place of a text in its dictionary.
fn known(texts: &StringArray, key: i32) -> Result<usize, Damage> {
    let place = usize::try_from(key).ok();
    let place = place.filter(|place| *place < texts.len());
    place.ok_or_else(|| Damage::new("a text that is not in its dictionary"))
}

/// The four columns, to read.
#[derive(Clone, Copy)]
pub(super) struct OwnerColumns<'a> {
    service_keys: &'a [i32],
    services: &'a StringArray,
    resource_keys: &'a [i32],
    resources: &'a StringArray,
    name_keys: &'a [i32],
    names: &'a StringArray,
    version_keys: &'a [i32],
    versions: &'a StringArray,
}

impl<'a> OwnerColumns<'a> {
    pub(super) fn new(batch: &'a RecordBatch) -> Result<Self, Damage> {
        let (service_keys, services) = dictionary(batch, "service")?;
        let (resource_keys, resources) = dictionary(batch, "resource")?;
        let (name_keys, names) = dictionary(batch, "scope_name")?;
        let (version_keys, versions) = dictionary(batch, "scope_version")?;
        Ok(OwnerColumns {
            service_keys,
            services,
            resource_keys,
            resources,
            name_keys,
            names,
            version_keys,
            versions,
        })
    }

    /// The service of a row.
    pub(super) fn service(&self, row: usize) -> &'a str {
        text_at(self.services, self.service_keys[row])
    }

    /// What is the same in two rows of one batch exactly if their service is.
    pub(super) fn service_key(&self, row: usize) -> i32 {
        self.service_keys[row]
    }

    /// The name of the scope of a row.
    pub(super) fn scope(&self, row: usize) -> &'a str {
        text_at(self.names, self.name_keys[row])
    }

    /// The resource of a row.
    pub(super) fn resource<'o>(&self, owners: &'o Owners, row: usize) -> &'o Resource {
        let key = usize::try_from(self.resource_keys[row]).unwrap_or(usize::MAX);
        &owners.resources[key]
    }

    pub(super) fn at(&self, owners: &Owners, row: usize) -> (Arc<Resource>, Arc<Scope>) {
        let resource = usize::try_from(self.resource_keys[row]).unwrap_or(usize::MAX);
        let scope = (self.name_keys[row], self.version_keys[row]);
        (
            Arc::clone(&owners.resources[resource]),
            Arc::clone(&owners.scopes[&scope]),
        )
    }
}

fn dictionary<'a>(
    batch: &'a RecordBatch,
    name: &str,
) -> Result<(&'a [i32], &'a StringArray), Damage> {
    let column: &DictionaryArray<Int32Type> = column(batch, name)?;
    Ok((column.keys().values(), typed(column.values(), name)?))
}

/// The text of a key, which Arrow has checked to be one.
fn text_at(texts: &StringArray, key: i32) -> &str {
    texts.value(usize::try_from(key).unwrap_or(usize::MAX))
}
