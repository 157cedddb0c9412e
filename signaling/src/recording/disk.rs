//! The folder that a recording is written to, behind a seam small enough to fill it up in a test.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What a recorder needs of a disk. A write that fails may have written a part: the recorder cuts it off again.
pub(crate) trait Disk: Send {
    /// Makes an empty file; fails when it is there already.
    fn create(&mut self, name: &str) -> io::Result<()>;
    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Returns once the file's data is on the disk.
    fn sync(&mut self, name: &str) -> io::Result<()>;
    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()>;
    /// Reads a whole file in pieces.
    fn read(&mut self, name: &str, each: &mut dyn FnMut(&[u8])) -> io::Result<()>;
}

/// A real folder.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    files: HashMap<String, File>,
}

impl Folder {
    /// Makes the folder, and those above it, where they are missing.
    pub fn create(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        Ok(Self { path: path.to_owned(), files: HashMap::new() })
    }

    fn file(&mut self, name: &str) -> io::Result<&mut File> {
        self.files.get_mut(name).ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, name.to_owned()))
    }
}

impl Disk for Folder {
    fn create(&mut self, name: &str) -> io::Result<()> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(self.path.join(name))?;
        self.files.insert(name.to_owned(), file);
        // The name itself has to outlive a power cut, too.
        File::open(&self.path)?.sync_all()
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.file(name)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.file(name)?.sync_data()
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.file(name)?.set_len(length)
    }

    fn read(&mut self, name: &str, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        let file = self.file(name)?;
        file.seek(SeekFrom::Start(0))?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(()),
                length => each(buffer.get(..length).unwrap_or_default()),
            }
        }
    }
}
