//! Champions Hub.
pub mod text;
pub mod web {
    //! Pages and assets.
    pub mod assets;
    pub mod views;
}
