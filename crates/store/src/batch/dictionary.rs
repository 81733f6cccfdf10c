//! Texts that repeat: each once, and a key for it in each row.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::datatypes::Int32Type;

use crate::hash::HashMap;

/// The distinct texts of a column, numbered as they come.
#[derive(Debug, Default)]
pub(super) struct Interner {
    texts: Vec<Arc<str>>,
    keys: HashMap<Arc<str>, i32>,
}

impl Interner {
    /// The key of a text.
    pub(super) fn key(&mut self, text: &str) -> i32 {
        if let Some(key) = self.keys.get(text) {
            return *key;
        }
        let key = i32::try_from(self.texts.len()).expect("a batch has fewer than 2^31 texts");
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.keys.insert(text, key);
        key
    }

    /// The key of a text that is probably that of `hint`.
    pub(super) fn key_like(&mut self, text: &str, hint: i32) -> i32 {
        let hinted = usize::try_from(hint).ok().and_then(|at| self.texts.get(at));
        match hinted {
            Some(hinted) if **hinted == *text => hint,
            _ => self.key(text),
        }
    }

    /// All texts, in the order of their keys.
    pub(super) fn finish(self) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(self.texts.iter()))
    }
}

/// A column of texts that repeat.
#[derive(Debug, Default)]
pub(super) struct DictionaryBuilder {
    interner: Interner,
    keys: Vec<i32>,
}

impl DictionaryBuilder {
    /// The key to give to [`push`](Self::push) for rows with this text.
    pub(super) fn key(&mut self, text: &str) -> i32 {
        self.interner.key(text)
    }

    pub(super) fn push(&mut self, key: i32) {
        self.keys.push(key);
    }

    pub(super) fn finish(self) -> ArrayRef {
        dictionary(self.keys, self.interner.finish())
    }
}

/// A column of these keys into these texts.
pub(super) fn dictionary(keys: Vec<i32>, texts: ArrayRef) -> ArrayRef {
    let column = DictionaryArray::<Int32Type>::try_new(Int32Array::from(keys), texts);
    Arc::new(column.expect("keys come from the interner of the texts"))
}
