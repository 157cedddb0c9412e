//! Files kept beside the database: sounds and pictures under `attachments`, recordings under `recordings`. A file is
//! whole on the disk before the database speaks of it.

use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use tokio::io::AsyncWriteExt as _;

use crate::id::{AttachmentId, CaseId, RecordingId};
use crate::store::cases::Attachment;
use crate::time::Timestamp;

/// The data folder.
#[derive(Debug, Clone)]
pub struct Files {
    root: PathBuf,
}

impl Files {
    /// Uses a folder, made when missing.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(root: &Path) -> std::io::Result<Self> {
        for folder in ["attachments", "recordings"] {
            std::fs::create_dir_all(root.join(folder))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// The data folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Writes a content to disk and gives the facts to store of it. The name is what people see; on disk it is the identifier.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn keep(
        &self,
        name: &str,
        media_type: &str,
        content: &[u8],
        case: Option<&CaseId>,
        now: Timestamp,
    ) -> std::io::Result<Attachment> {
        let id = AttachmentId::generate(now.millis());
        let path = format!("attachments/{id}");
        let target = self.root.join(&path);
        let partial = self.root.join(format!("{path}.part"));
        let mut file = tokio::fs::File::create(&partial).await?;
        file.write_all(content).await?;
        file.sync_all().await?;
        tokio::fs::rename(&partial, &target).await?;
        Ok(Attachment {
            id,
            case: case.cloned(),
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size: i64::try_from(content.len()).unwrap_or(i64::MAX),
            sha256: hex::encode(Sha256::digest(content)),
            path,
            created_at: now,
        })
    }

    /// Takes a content back that no row of the database came to speak of.
    pub async fn discard(&self, attachment: &Attachment) {
        if let Err(error) = tokio::fs::remove_file(self.attachment(attachment)).await {
            tracing::warn!(attachment = attachment.id.as_str(), %error, "the file of {} stays behind, unused", attachment.id);
        }
    }

    /// Where an attachment lies.
    #[must_use]
    pub fn attachment(&self, attachment: &Attachment) -> PathBuf {
        self.root.join(&attachment.path)
    }

    /// The folder of a recording, as stored and in full.
    #[must_use]
    pub fn recording(&self, id: &RecordingId) -> (String, PathBuf) {
        let folder = format!("recordings/{id}");
        let full = self.root.join(&folder);
        (folder, full)
    }

    /// A stored path in full.
    #[must_use]
    pub fn full(&self, stored: &str) -> PathBuf {
        self.root.join(stored)
    }
}
