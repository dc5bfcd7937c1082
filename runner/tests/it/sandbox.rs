//! What a sandbox does with programs that behave well, and with those that do not.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use parity_protocol::{
    device::Device,
    job::{Job, JobKind},
    model::Model,
    schema::{Scaling, Task},
    training::{Optimizer, Schedule, Training},
};
use parity_runner::sandbox::{Docker, Error, Limits, Material, Output, Process, Sandbox};
use tempfile::TempDir;

use crate::hostile::{self, HONEST, Image};

/// A safetensors header as the honest trainer reads it: 7 rows of 2 features.
const DATA: &[u8] =
    br#"________{"x":{"dtype":"F32","shape":[7,2],"data_offsets":[0,56]},"y":{"dtype":"I64","shape":[7]}}"#;
const MODEL: &[u8] = b"the weights";

const LIMITS: Limits = Limits { cpus: 1, memory: 64 << 20, pids: 16, seconds: 30, output_bytes: 1 << 20, cuda: false };

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Docker,
    Process,
}

/// A sandbox with one script as its trainer.
struct Bench {
    sandbox: Sandbox,
    _image: Option<Image>,
    folder: TempDir,
}

impl Bench {
    async fn new(kind: Kind, script: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let (sandbox, image) = match kind {
            Kind::Docker => {
                let image = Image::of(script);
                (Sandbox::Docker(Docker::open(&image.id, &owner(folder.path())).await.unwrap()), Some(image))
            }
            Kind::Process => {
                let program = hostile::program(folder.path(), script);
                (Sandbox::Process(Process::open(&program, None).await.unwrap()), None)
            }
        };
        Self { sandbox, _image: image, folder }
    }

    async fn run(&self, limits: Limits) -> Result<Output, Error> {
        let material = Material { rows: DATA, model: Some(MODEL), correction: None };
        self.sandbox.run(&job(), material, &limits, &self.work()).await
    }

    fn work(&self) -> std::path::PathBuf {
        self.folder.path().join("work")
    }

    /// Whether nothing of a job is left in the work folder.
    fn is_clean(&self) -> bool {
        std::fs::read_dir(self.work()).unwrap().next().is_none()
    }
}

async fn outcome(kind: Kind, script: &str, limits: Limits) -> Result<Output, Error> {
    let bench = Bench::new(kind, script).await;
    let outcome = bench.run(limits).await;
    assert!(bench.is_clean(), "files of the job are left");
    if let Sandbox::Docker(docker) = &bench.sandbox {
        docker.remove_leftovers().await.unwrap();
    }
    outcome
}

fn owner(folder: &Path) -> String {
    format!("test{}", folder.display()).replace('/', "-")
}

fn job() -> Job {
    let training = Training {
        schedule: Schedule::Constant {},
        proximal: 0.0,
        optimizer: Optimizer::Sgd { learning_rate: 0.1, momentum: 0.0 },
        epochs: 1,
        batch_size: 1,
        seed: 1,
    };
    Job {
        kind: JobKind::Train { training, round: 1, seat: 0 },
        model: Model::LogisticRegression {},
        features: 2,
        outputs: 2,
        task: Task::Classification { classes: vec!["a".into(), "b".into()] },
        scaling: Scaling { mean: vec![0.0; 2], deviation: vec![1.0; 2], limit: None },
        threads: 1,
        device: Device::Cpu,
    }
}

async fn an_honest_trainer_gets_its_inputs_and_its_outputs_arrive(kind: Kind) {
    let output = outcome(kind, HONEST, LIMITS).await.unwrap();
    assert_eq!(output.result.samples, 7);
    assert_eq!(output.update.as_deref(), Some(MODEL));
    assert!(output.start > Duration::ZERO && output.run > Duration::ZERO);
}

async fn an_evaluation_needs_no_update(kind: Kind) {
    let bench = Bench::new(kind, HONEST).await;
    let job = Job { kind: JobKind::Evaluate {}, ..job() };
    let material = Material { rows: DATA, model: None, correction: None };
    let output = bench.sandbox.run(&job, material, &LIMITS, &bench.work()).await.unwrap();
    assert_eq!(output.update, None);
    if let Sandbox::Docker(docker) = &bench.sandbox {
        docker.remove_leftovers().await.unwrap();
    }
}

async fn a_hang_ends_at_the_time_limit(kind: Kind) {
    let begun = Instant::now();
    let script = "trap '' TERM INT; while :; do sleep 1; done";
    let error = outcome(kind, script, Limits { seconds: 1, ..LIMITS }).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { seconds: 1 }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(15), "took {:?}", begun.elapsed());
}

async fn a_flood_of_the_output_folder_is_stopped(kind: Kind) {
    let one_file =
        r#"while :; do dd if=/dev/zero bs=64k count=16 2>/dev/null || exit 9; done >"$2/update.safetensors""#;
    let error = outcome(kind, one_file, LIMITS).await.unwrap_err();
    assert!(matches!(error, Error::OutputTooLarge { .. }), "{error}");
    let many_files = r#"i=0; while :; do i=$((i+1)); echo x >"$2/$i"; done"#;
    let error = outcome(kind, many_files, LIMITS).await.unwrap_err();
    assert!(matches!(error, Error::OutputTooLarge { .. }), "{error}");
}

async fn a_flood_of_text_is_stopped(kind: Kind) {
    let error = outcome(kind, "yes spam", LIMITS).await.unwrap_err();
    assert!(matches!(&error, Error::LogTooLarge { log, .. } if log.contains("spam")), "{error}");
}

async fn success_without_a_result_is_an_error(kind: Kind) {
    let error = outcome(kind, "exit 0", LIMITS).await.unwrap_err();
    assert!(matches!(error, Error::NoResult { file: "result.json" }), "{error}");
    let no_update = format!("{HONEST}\nrm \"$2/update.safetensors\"");
    let error = outcome(kind, &no_update, LIMITS).await.unwrap_err();
    assert!(matches!(error, Error::NoResult { file: "update.safetensors" }), "{error}");
}

async fn a_failure_is_reported_with_its_code_and_words(kind: Kind) {
    let error = outcome(kind, "echo 'the rows are wrong' >&2; exit 3", LIMITS).await.unwrap_err();
    assert!(matches!(&error, Error::Failed { code: 3, log } if log == "the rows are wrong"), "{error}");
    assert!(!error.is_retryable());
}

async fn nonsense_in_the_result_is_an_error(kind: Kind) {
    for text in
        ["", "{", "[]", r#"{"samples":-1,"metrics":{"samples":1,"loss":0},"seconds":0}"#, r#"{"samples":1e999}"#]
    {
        let script = format!("{HONEST}\nprintf '%s' '{text}' >\"$2/result.json\"");
        let error = outcome(kind, &script, LIMITS).await.unwrap_err();
        assert!(matches!(error, Error::BadResult { .. } | Error::NoResult { .. }), "{text}: {error}");
    }
}

async fn links_pipes_and_folders_are_not_followed(kind: Kind) {
    let tricks = ["ln -s /etc/passwd \"$2/result.json\"", "mkfifo \"$2/result.json\"", "mkdir \"$2/result.json\""];
    for trick in tricks {
        let script = format!("{HONEST}\nrm \"$2/result.json\"; {trick}");
        let error = outcome(kind, &script, LIMITS).await.unwrap_err();
        assert!(matches!(&error, Error::UnexpectedOutput { name } if name == "result.json"), "{trick}: {error}");
    }
}

async fn a_memory_hog_is_stopped(kind: Kind) {
    let error = outcome(kind, "x=$(yes | head -c 200000000); echo ${#x}", LIMITS).await.unwrap_err();
    match kind {
        Kind::Docker => assert!(matches!(error, Error::OutOfMemory { .. }), "{error}"),
        Kind::Process => assert!(matches!(error, Error::Failed { .. }), "{error}"),
    }
}

async fn the_trainer_has_no_network_and_no_privileges(kind: Kind) {
    let script = format!(
        r#"
fail() {{ echo "$1"; exit 7; }}
[ "$(grep -c ':' /proc/net/dev)" = 1 ] || fail "more than the loopback: $(cat /proc/net/dev)"
grep -q '^CapEff:[[:space:]]*0000000000000000$' /proc/self/status || fail "capabilities: $(grep Cap /proc/self/status)"
grep -q '^NoNewPrivs:[[:space:]]*1$' /proc/self/status || fail 'can gain privileges'
[ "$(ulimit -c)" = 0 ] || fail 'leaves cores'
[ "$OMP_NUM_THREADS" = 1 ] && [ -n "$ATEN_CPU_CAPABILITY" ] || fail 'arithmetic is not pinned'
[ -z "$PARITY_SECRET" ] || fail 'sees the environment of the agent'
{HONEST}"#
    );
    outcome(kind, &script, LIMITS).await.unwrap();
}

async fn a_job_that_is_cancelled_is_stopped(kind: Kind) {
    let bench = Bench::new(kind, "while :; do date +%s%N >\"$2/beat\"; sleep 0.05; done").await;
    let limits = Limits { seconds: 600, ..LIMITS };
    let mut running = Box::pin(bench.run(limits));
    // Until it is at work.
    tokio::select! {
        ended = &mut running => panic!("ended by itself: {ended:?}"),
        () = until(|| beat(&bench.work()).is_some()) => {}
    }
    drop(running);
    assert!(bench.is_clean());
    match &bench.sandbox {
        Sandbox::Docker(_) => {
            let label = format!("label=network.parity.owner={}", owner(bench.folder.path()));
            until(|| {
                let listed = std::process::Command::new("docker").args(["ps", "-aq", "--filter", &label]).output();
                listed.unwrap().stdout.is_empty()
            })
            .await;
        }
        Sandbox::Process(_) => {
            let program = bench.folder.path().join("trainer");
            until(|| !is_running(&program)).await;
        }
    }
}

/// Whether a process runs this program, by the command lines of all processes.
pub(crate) fn is_running(program: &Path) -> bool {
    let wanted = program.as_os_str().as_encoded_bytes();
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        std::fs::read(entry.path().join("cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|argument| argument == wanted))
    })
}

fn beat(work: &Path) -> Option<String> {
    let job = std::fs::read_dir(work).ok()?.flatten().next()?.path();
    std::fs::read_to_string(job.join("out/beat")).ok().filter(|text| !text.is_empty())
}

/// Waits on a condition; the test fails when it does not come true.
async fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "the condition did not come true within 30 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

macro_rules! both {
    ($($test:ident,)*) => {
        mod docker {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Kind::Docker).await;
            })*
        }
        mod process {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Kind::Process).await;
            })*
        }
    };
}

both! {
    an_honest_trainer_gets_its_inputs_and_its_outputs_arrive,
    an_evaluation_needs_no_update,
    a_hang_ends_at_the_time_limit,
    a_flood_of_the_output_folder_is_stopped,
    a_flood_of_text_is_stopped,
    success_without_a_result_is_an_error,
    a_failure_is_reported_with_its_code_and_words,
    nonsense_in_the_result_is_an_error,
    links_pipes_and_folders_are_not_followed,
    a_memory_hog_is_stopped,
    the_trainer_has_no_network_and_no_privileges,
    a_job_that_is_cancelled_is_stopped,
}

#[tokio::test]
async fn the_container_sees_nothing_of_the_host_and_cannot_write() {
    let script = format!(
        r#"
fail() {{ echo "$1"; exit 7; }}
[ "$(id -u)" != 0 ] || fail 'is root'
touch /here 2>/dev/null && fail 'can write the root'
touch "$1/here" 2>/dev/null && fail 'can write its job'
mount -t tmpfs none /tmp 2>/dev/null && fail 'can mount'
mkdir -p /proc/1/x 2>/dev/null && fail 'can write /proc'
[ ! -e /etc/shadow ] || fail 'sees the host'
[ "$(ps | grep -c trainer)" -le 4 ] || fail 'sees processes of the host'
touch /tmp/scratch || fail 'has no scratch space'
{HONEST}"#
    );
    outcome(Kind::Docker, &script, LIMITS).await.unwrap();
}

#[tokio::test]
async fn the_container_cannot_start_processes_without_end() {
    // Every shell that cannot fork says so and fails.
    let script = "for i in $(seq 100); do sleep 5 & done; wait; exit 0";
    let error = outcome(Kind::Docker, script, LIMITS).await.unwrap_err();
    assert!(matches!(&error, Error::Failed { log, .. } if log.contains("fork")), "{error}");
}

#[tokio::test]
async fn containers_of_a_killed_agent_are_found_and_removed() {
    let bench = Bench::new(Kind::Docker, "sleep 600").await;
    let Sandbox::Docker(docker) = &bench.sandbox else { panic!("a Docker sandbox was asked for") };
    let running = bench.run(Limits { seconds: 600, ..LIMITS });
    let next_life = async {
        let owner = owner(bench.folder.path());
        loop {
            // What an agent does when it starts.
            let other = Docker::open(docker.image(), "somebody-else").await.unwrap();
            assert_eq!(other.remove_leftovers().await.unwrap(), 0);
            let label = format!("label=network.parity.owner={owner}");
            let listed = std::process::Command::new("docker").args(["ps", "-q", "--filter", &label]).output().unwrap();
            if !listed.stdout.is_empty() {
                Docker::open(docker.image(), &owner).await.unwrap();
                return;
            }
        }
    };
    let (ended, ()) = tokio::join!(running, next_life);
    let error = ended.unwrap_err();
    assert!(matches!(error, Error::Failed { .. } | Error::Docker { .. }), "{error}");
}

#[tokio::test]
async fn what_is_missing_is_named_with_the_remedy() {
    let error = Docker::open("parity-no-such-image:latest", "test").await.unwrap_err();
    assert!(error.to_string().contains("script/trainer-image"), "{error}");
    let error = Process::open(Path::new("/nonexistent/trainer"), None).await.unwrap_err();
    assert!(error.to_string().contains("/nonexistent/trainer"), "{error}");
}
