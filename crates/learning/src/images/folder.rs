//! Which files a folder holds: PNG files in one sub-folder per class, in a fixed order.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Error, Result, csv};

/// The PNG files of a folder: by class, then by name.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    classes: Vec<String>,
    files: Vec<PathBuf>,
    /// Index into `classes` per file; empty where the files have no class.
    labels: Vec<i64>,
    notes: Vec<String>,
}

impl Folder {
    /// Lists a folder: PNG files in sub-folders, or only PNG files, then without classes. Hidden files are passed over, other files
    /// are told of in the notes.
    ///
    /// # Errors
    /// [`Error::Read`] when it cannot be listed, [`Error::File`] without any PNG file, or when files lie beside sub-folders.
    pub fn list(path: &Path) -> Result<Self> {
        let refuse = |reason: String| Error::File { path: path.to_owned(), reason };
        let top = Entries::of(path)?;
        let mut listing = Self {
            path: path.to_owned(),
            classes: Vec::new(),
            files: Vec::new(),
            labels: Vec::new(),
            notes: Vec::new(),
        };
        let mut others = top.others;
        if top.folders.is_empty() {
            listing.files = top.images;
        } else if let Some(image) = top.images.first() {
            let name = image.file_name().unwrap_or_default().to_string_lossy();
            return Err(refuse(format!("'{name}' lies beside the folders of the classes; move it into one of them")));
        }
        let mut classes = Vec::new();
        for folder in &top.folders {
            let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
                return Err(refuse(format!("the name of {} is no UTF-8; rename it", folder.display())));
            };
            classes.push((name.to_owned(), folder));
        }
        csv::sort_classes(&mut classes, |(name, _)| name);
        for (index, (class, folder)) in (0_i64..).zip(classes) {
            let inner = Entries::of(folder)?;
            if inner.images.is_empty() {
                let reason = format!("the class '{class}' has no PNG file; add some or remove the folder");
                return Err(Error::File { path: folder.clone(), reason });
            }
            listing.labels.resize(listing.labels.len() + inner.images.len(), index);
            listing.files.extend(inner.images);
            listing.classes.push(class);
            others.extend(inner.others);
            others.extend(inner.folders);
        }
        if listing.files.is_empty() {
            return Err(refuse("it holds no PNG file; put PNG files into one sub-folder per class".to_owned()));
        }
        if let Some(first) = others.first() {
            listing.notes.push(format!(
                "{} entries that are no PNG file left out, first {}",
                others.len(),
                first.display()
            ));
        }
        Ok(listing)
    }

    /// A single file.
    pub fn of_file(file: &Path) -> Self {
        let files = vec![file.to_owned()];
        Self { path: file.to_owned(), classes: Vec::new(), files, labels: Vec::new(), notes: Vec::new() }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files, in the order of the rows.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Names of the classes: by value where all are numbers, else by name.
    ///
    /// # Errors
    /// [`Error::File`] with fewer than two.
    pub fn classes(&self) -> Result<&[String]> {
        if self.classes.len() >= 2 {
            return Ok(&self.classes);
        }
        let found = self.classes.first().map_or_else(
            || "the PNG files lie in no sub-folder".to_owned(),
            |class| format!("there is only the sub-folder '{class}'"),
        );
        let reason = format!("{found}; a classifier needs two sub-folders at least, one per class");
        Err(Error::File { path: self.path.clone(), reason })
    }

    /// Index of the class per file; empty where there are no sub-folders.
    pub fn labels(&self) -> &[i64] {
        &self.labels
    }

    /// The labels as indices into other classes; none where there are no sub-folders, or one is not among these classes.
    pub fn labels_among(&self, known: &[String]) -> Option<Vec<i64>> {
        if self.labels.is_empty() {
            return None;
        }
        let place = |class: &String| i64::try_from(known.iter().position(|known| known == class)?).ok();
        let places: Vec<i64> = self.classes.iter().map(place).collect::<Option<_>>()?;
        self.labels.iter().map(|label| places.get(usize::try_from(*label).ok()?).copied()).collect()
    }

    /// What was left out.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// What lies in one folder, each sorted by name.
#[derive(Default)]
struct Entries {
    folders: Vec<PathBuf>,
    images: Vec<PathBuf>,
    others: Vec<PathBuf>,
}

impl Entries {
    fn of(path: &Path) -> Result<Self> {
        let failed = |source| Error::Read { path: path.to_owned(), source };
        let mut found = Self::default();
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let path = entry.path();
            let is_png = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
            match (path.is_dir(), is_png) {
                (true, _) => found.folders.push(path),
                (false, true) => found.images.push(path),
                (false, false) => found.others.push(path),
            }
        }
        for part in [&mut found.folders, &mut found.images, &mut found.others] {
            part.sort_unstable();
        }
        Ok(found)
    }
}
