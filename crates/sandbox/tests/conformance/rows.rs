//! Every row of the page.

mod runtime_api;

use crate::table::Section;

pub(crate) const SECTIONS: &[Section] = &[runtime_api::ENDPOINTS];
