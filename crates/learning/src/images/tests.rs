//! PNG files are made, read back, and compared with a CSV file of the same pixels.

use std::{fs, path::Path};

use parity_protocol::{model::Volume, schema::Task};
use png::{BitDepth, ColorType};
use tempfile::TempDir;

use super::*;
use crate::csv::{self, InferOptions};

fn write(file: &Path, color: ColorType, depth: BitDepth, width: u32, bytes: &[u8]) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let samples = if depth == BitDepth::Sixteen { 2 } else { 1 };
    let height = u32::try_from(bytes.len() / color.samples() / samples).unwrap() / width;
    let mut encoder = png::Encoder::new(fs::File::create(file).unwrap(), width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(bytes).unwrap();
}

fn grey(file: &Path, width: u32, bytes: &[u8]) {
    write(file, ColorType::Grayscale, BitDepth::Eight, width, bytes);
}

fn read(folder: &Path, target: Target) -> Result<Prepared> {
    prepare(&Folder::list(folder)?, target, 0.25, 3, &|| ())
}

fn refusal(folder: &Path, target: Target) -> String {
    read(folder, target).unwrap_err().to_string()
}

/// Eight grey images of 2 x 3 pixels in classes that are numbers.
fn numbers() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for class in [2_u8, 10] {
        for at in 0..4_u8 {
            let pixels: Vec<u8> = (0..6).map(|pixel| class * 20 + at * 7 + pixel).collect();
            grey(&folder.path().join(format!("{class}/image-{at}.png")), 3, &pixels);
        }
    }
    folder
}

#[test]
fn a_folder_is_the_same_as_a_csv_file_of_its_pixels() {
    let folder = numbers();
    let ours = read(folder.path(), Target::default()).unwrap();
    let shape = Volume { channels: 1, height: 2, width: 3 };
    let mut text = names(shape).join(",") + ",class\n";
    for class in [2_u8, 10] {
        for at in 0..4_u8 {
            let pixels: Vec<String> = (0..6).map(|pixel| (class * 20 + at * 7 + pixel).to_string()).collect();
            text += &format!("{},{class}\n", pixels.join(","));
        }
    }
    let file = folder.path().join("rows.csv");
    fs::write(&file, text).unwrap();
    let theirs = csv::prepare(&file, &InferOptions::default(), 0.25, 3).unwrap();
    assert_eq!((&ours.train, &ours.holdout, &ours.scaling), (&theirs.train, &theirs.holdout, &theirs.scaling));
    assert_eq!((ours.image, theirs.image), (Some(shape), Some(shape)));
    assert_eq!(ours.schema.label, theirs.schema.label);
    // The CSV file was not there when the folder was read; now it is told of.
    let again = read(folder.path(), Target::default()).unwrap();
    assert_eq!(again.train, ours.train);
    assert!(again.report.iter().any(|line| line.contains("rows.csv")), "{:?}", again.report);
}

#[test]
fn colours_come_channel_by_channel_and_grey_files_join_them() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at("a/1.png"), ColorType::Rgb, BitDepth::Eight, 2, &[1, 2, 3, 4, 5, 6]);
    write(&at("a/2.PNG"), ColorType::Rgba, BitDepth::Eight, 2, &[1, 2, 3, 0, 4, 5, 6, 255]);
    grey(&at("b/1.png"), 2, &[8, 9]);
    write(&at("b/2.png"), ColorType::GrayscaleAlpha, BitDepth::Eight, 2, &[8, 0, 9, 255]);
    let listed = Folder::list(folder.path()).unwrap();
    let images = read::read(&listed, Target::default(), &|| ()).unwrap();
    assert_eq!(images.shape, Volume { channels: 3, height: 1, width: 2 });
    let (coloured, plain) = ([1.0, 4.0, 2.0, 5.0, 3.0, 6.0], [8.0, 9.0, 8.0, 9.0, 8.0, 9.0]);
    assert_eq!(images.x, [coloured, coloured, plain, plain].concat());
    let notes = images.notes.join("\n");
    assert!(notes.contains("2 files are grey") && notes.contains("2 files have transparency"), "{notes}");
    assert_eq!(shape_of(&schema(images.shape, vec!["a".into(), "b".into()])), Some(images.shape));
    let wanted = Target { channels: Some(1), size: None };
    let message = read::read(&listed, wanted, &|| ()).unwrap_err().to_string();
    assert!(message.contains("1.png") && message.contains("expected grey"), "{message}");
}

#[test]
fn sixteen_bits_and_single_bits_become_eight() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("deep.png"), ColorType::Grayscale, BitDepth::Sixteen, 2, &[0x12, 0xff, 0xff, 0x00]);
    let deep = read::read(&Folder::list(folder.path()).unwrap(), Target::default(), &|| ()).unwrap();
    assert_eq!(deep.x, [18.0, 255.0]);
    assert!(deep.notes.iter().any(|note| note.contains("16 bits")), "{:?}", deep.notes);
    let mut encoder = png::Encoder::new(fs::File::create(folder.path().join("deep.png")).unwrap(), 3, 1);
    encoder.set_depth(BitDepth::One);
    encoder.write_header().unwrap().write_image_data(&[0b1010_0000]).unwrap();
    let flat = read::read(&Folder::list(folder.path()).unwrap(), Target::default(), &|| ()).unwrap();
    assert_eq!(flat.x, [255.0, 0.0, 255.0]);
}

#[test]
fn images_of_two_sizes_are_refused_unless_one_is_asked_for() {
    let folder = numbers();
    grey(&folder.path().join("10/other.png"), 2, &[9; 10]);
    let message = refusal(folder.path(), Target::default());
    for part in ["other.png", "5 x 2", "image-0.png", "2 x 3", "--image 2x3"] {
        assert!(message.contains(part), "no {part} in {message}");
    }
    let scaled = read(folder.path(), Target { channels: None, size: Some((4, 4)) }).unwrap();
    assert_eq!(scaled.image, Some(Volume { channels: 1, height: 4, width: 4 }));
    assert_eq!(scaled.train.rows() + scaled.holdout.rows(), 9);
    assert!(scaled.report.iter().any(|line| line.contains("9 files had another size")), "{:?}", scaled.report);
}

#[test]
fn what_is_no_folder_of_classes_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(folder.path(), Target::default()).contains("one sub-folder per class"));
    grey(&folder.path().join("a/1.png"), 1, &[1]);
    assert!(refusal(folder.path(), Target::default()).contains("only the sub-folder 'a'"));
    fs::create_dir(folder.path().join("b")).unwrap();
    assert!(refusal(folder.path(), Target::default()).contains("the class 'b' has no PNG file"));
    fs::write(folder.path().join("b/1.png"), "no picture").unwrap();
    let message = refusal(folder.path(), Target::default());
    assert!(message.contains("1.png") && message.contains("no readable PNG"), "{message}");
    grey(&folder.path().join("2.png"), 1, &[1]);
    assert!(refusal(folder.path(), Target::default()).contains("lies beside"));
    let flat = tempfile::tempdir().unwrap();
    grey(&flat.path().join("1.png"), 1, &[1]);
    assert!(refusal(flat.path(), Target::default()).contains("no sub-folder"));
    grey(&folder.path().join("b/1.png"), 101, &[1; 101 * 100]);
    fs::remove_file(folder.path().join("2.png")).unwrap();
    fs::remove_dir_all(folder.path().join("a")).unwrap();
    grey(&folder.path().join("a/1.png"), 101, &[1; 101 * 100]);
    assert!(refusal(folder.path(), Target::default()).contains("--image 64x64"));
}

#[test]
fn files_to_predict_need_no_classes_and_known_ones_become_labels() {
    let folder = numbers();
    let shape = Volume { channels: 1, height: 2, width: 3 };
    let task = |classes: &[&str]| Task::Classification { classes: classes.iter().map(|&c| c.to_owned()).collect() };
    let encode = |path: &Path, task: &Task| encode_unlabelled(&Folder::list(path).unwrap(), shape, task, &|| ());
    let known = encode(folder.path(), &task(&["0", "10", "2"])).unwrap();
    assert_eq!(known.labels, Some(Labels::Classes(vec![2, 2, 2, 2, 1, 1, 1, 1])));
    assert_eq!(encode(folder.path(), &task(&["0", "1"])).unwrap().labels, None);
    let flat = encode(&folder.path().join("10"), &task(&["0", "1"])).unwrap();
    assert_eq!((flat.rows(), flat.labels), (4, None));
    assert_eq!(flat.x, known.x[24..]);
}
