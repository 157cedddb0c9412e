//! Call flows, SMS dialogue and telephone providers.
