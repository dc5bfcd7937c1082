//! One container per job, through the Docker daemon of this machine.
//!
//! The container has no network, a read-only root, no capabilities and no way to gain any, an unprivileged user, and limits on
//! CPU, memory, processes, files, time, log and output. It sees two folders of the host: its job (read-only) and its output.
//! Containers carry the label of their owner, so that those of an owner that was killed are found and removed.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bollard::{
    container::LogOutput,
    errors::Error as DockerError,
    models::{ContainerCreateBody, DeviceRequest, HostConfig, HostConfigLogConfig, Mount, MountType, ResourcesUlimits},
    query_parameters::{
        AttachContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
        WaitContainerOptionsBuilder,
    },
};
use futures::{Stream, StreamExt};

use super::{
    Error, Limits, Result, Times,
    folder::JobFolder,
    limits::{OPEN_FILES, TMP_BYTES},
    log::Log,
    watch::supervise,
};

/// Label that names the owner of a container.
const OWNER_LABEL: &str = "network.parity.owner";
/// The unprivileged user of the trainer image, as distroless images number it.
const USER: (u32, u32) = (65532, 65532);
/// How long the end of the log may lag behind the end of the container.
const LOG_GRACE: Duration = Duration::from_secs(1);

/// Runs jobs in containers of one image.
#[derive(Clone, Debug)]
pub struct Docker {
    client: bollard::Docker,
    image: String,
    owner: String,
}

impl Docker {
    /// Connects to the daemon of this machine (`DOCKER_HOST` or the default socket), speaks the newest API version both sides
    /// know, finds the image (a tag or `sha256:…`), and removes containers that an earlier life of `owner` left behind.
    ///
    /// # Errors
    /// [`Error::NoDaemon`], [`Error::NoImage`], or [`Error::Docker`].
    pub async fn open(image: &str, owner: &str) -> Result<Self> {
        let client = bollard::Docker::connect_with_local_defaults().map_err(|source| Error::NoDaemon { source })?;
        let client = client.negotiate_version().await.map_err(|source| Error::NoDaemon { source })?;
        let docker = Self { client, image: String::new(), owner: owner.to_owned() }.with_image(image).await?;
        docker.remove_leftovers().await?;
        Ok(docker)
    }

    /// The same with another image.
    ///
    /// # Errors
    /// [`Error::NoImage`] when the daemon does not have it.
    pub async fn with_image(&self, image: &str) -> Result<Self> {
        let found = self.client.inspect_image(image).await.map_err(|source| match source {
            DockerError::DockerResponseServerError { status_code: 404, .. } => {
                Error::NoImage { image: image.to_owned() }
            }
            source => Error::Docker { operation: "inspect the image", source },
        })?;
        let id = found.id.ok_or_else(|| Error::NoImage { image: image.to_owned() })?;
        Ok(Self { image: id, ..self.clone() })
    }

    /// Id of the image, `sha256:…`.
    pub fn image(&self) -> &str {
        &self.image
    }

    /// Removes every container of this owner, running or not, and says how many there were.
    ///
    /// # Errors
    /// [`Error::Docker`].
    pub async fn remove_leftovers(&self) -> Result<usize> {
        let filters = HashMap::from([("label".to_owned(), vec![format!("{OWNER_LABEL}={}", self.owner)])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let found = self.client.list_containers(Some(options)).await.map_err(Error::docker("list containers"))?;
        let ids: Vec<String> = found.into_iter().filter_map(|container| container.id).collect();
        for id in &ids {
            remove(&self.client, id).await.map_err(Error::docker("remove a container"))?;
        }
        if !ids.is_empty() {
            tracing::warn!(containers = ids.len(), "removed containers that an earlier run left behind");
        }
        Ok(ids.len())
    }

    pub(super) async fn run(
        &self,
        folder: &JobFolder,
        environment: &[(String, String)],
        limits: &Limits,
        begun: Instant,
    ) -> Result<Times> {
        let body = self.body(folder, environment, limits)?;
        let created = self.client.create_container(None, body).await.map_err(Error::docker("create a container"))?;
        let container = Container { client: self.client.clone(), id: created.id, removed: false };
        for warning in created.warnings {
            tracing::warn!(warning, "the Docker daemon does not enforce everything that was asked");
        }
        let outcome = supervise(container.run_to_end(folder, limits, begun), folder, limits).await;
        // One that ended by itself can be removed behind the caller's back; one that was stopped may still be running.
        if outcome.is_err() {
            container.remove().await?;
        }
        outcome
    }

    fn body(
        &self,
        folder: &JobFolder,
        environment: &[(String, String)],
        limits: &Limits,
    ) -> Result<ContainerCreateBody> {
        let (user, group) = folder.owner()?;
        let bind = |source: std::path::PathBuf, target: &str, read_only| Mount {
            typ: Some(MountType::BIND),
            source: Some(source.to_string_lossy().into_owned()),
            target: Some(target.to_owned()),
            read_only: Some(read_only),
            ..Default::default()
        };
        let (user, group) = if user == 0 { USER } else { (user, group) };
        // Owned by the user, because runc gives a tmpfs the mode of the folder it covers.
        let tmp = format!("rw,noexec,nosuid,nodev,size={TMP_BYTES},uid={user},gid={group},mode=0700");
        let ulimit = |name: &str, value: i64| ResourcesUlimits {
            name: Some(name.to_owned()),
            soft: Some(value),
            hard: Some(value),
        };
        let host = HostConfig {
            network_mode: Some("none".into()),
            readonly_rootfs: Some(true),
            cap_drop: Some(vec!["ALL".into()]),
            security_opt: Some(vec!["no-new-privileges:true".into()]),
            privileged: Some(false),
            memory: Some(signed(limits.memory)),
            memory_swap: Some(signed(limits.memory)),
            nano_cpus: Some(i64::from(limits.cpus) * 1_000_000_000),
            pids_limit: Some(i64::from(limits.pids)),
            ulimits: Some(vec![
                ulimit("core", 0),
                ulimit("nofile", i64::from(OPEN_FILES)),
                ulimit("fsize", signed(limits.output_bytes)),
            ]),
            mounts: Some(vec![bind(folder.job(), "/job", true), bind(folder.out(), "/out", false)]),
            tmpfs: Some(HashMap::from([("/tmp".to_owned(), tmp)])),
            device_requests: limits.cuda.then(cuda),
            shm_size: Some(signed(TMP_BYTES)),
            // Nothing it prints reaches a disk: the attached stream counts it.
            log_config: Some(HostConfigLogConfig { typ: Some("none".into()), config: None }),
            ..Default::default()
        };
        Ok(ContainerCreateBody {
            image: Some(self.image.clone()),
            cmd: Some(vec!["/job".into(), "/out".into()]),
            user: Some(format!("{user}:{group}")),
            env: Some(environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
            labels: Some(HashMap::from([(OWNER_LABEL.to_owned(), self.owner.clone())])),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            host_config: Some(host),
            ..Default::default()
        })
    }
}

/// One CUDA device, and of the driver what computing needs.
fn cuda() -> Vec<DeviceRequest> {
    vec![DeviceRequest {
        driver: Some("nvidia".into()),
        count: Some(1),
        capabilities: Some(vec![vec!["gpu".into(), "compute".into(), "utility".into()]]),
        ..Default::default()
    }]
}

/// A container that is removed on drop at the latest.
struct Container {
    client: bollard::Docker,
    id: String,
    removed: bool,
}

impl Container {
    /// Starts it and waits for its end.
    async fn run_to_end(&self, folder: &JobFolder, limits: &Limits, begun: Instant) -> Result<Times> {
        let options = AttachContainerOptionsBuilder::default().stdout(true).stderr(true).stream(true).build();
        let attached = self
            .client
            .attach_container(&self.id, Some(options))
            .await
            .map_err(Error::docker("attach to a container"))?;
        self.client.start_container(&self.id, None).await.map_err(Error::docker("start a container"))?;
        let (start, running) = (begun.elapsed(), Instant::now());

        let mut log = Log::default();
        let code = {
            let reading = read_log(attached.output, &mut log);
            tokio::pin!(reading);
            let waiting = self.wait();
            tokio::pin!(waiting);
            let mut printed_all = false;
            loop {
                tokio::select! {
                    code = &mut waiting => {
                        if !printed_all {
                            tokio::time::timeout(LOG_GRACE, &mut reading).await.unwrap_or(Ok(()))?;
                        }
                        break code?;
                    }
                    read = &mut reading, if !printed_all => {
                        read?;
                        printed_all = true;
                    }
                }
            }
        };
        if code != 0 {
            return Err(self.failure(code, &log, folder, limits).await);
        }
        Ok(Times { start, run: running.elapsed() })
    }

    async fn wait(&self) -> Result<i64> {
        let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
        let ended = self.client.wait_container(&self.id, Some(options)).next().await;
        match ended {
            Some(Ok(response)) => Ok(response.status_code),
            Some(Err(DockerError::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(source)) => Err(Error::Docker { operation: "wait for a container", source }),
            None => Err(Error::Docker {
                operation: "wait for a container",
                source: DockerError::DockerStreamError { error: "the daemon ended the connection".into() },
            }),
        }
    }

    async fn failure(&self, code: i64, log: &Log, folder: &JobFolder, limits: &Limits) -> Error {
        let state = self.client.inspect_container(&self.id, None).await.ok().and_then(|container| container.state);
        if state.and_then(|state| state.oom_killed).unwrap_or(false) {
            return Error::OutOfMemory { limit: limits.memory };
        }
        if folder.has_full_file(limits.output_bytes) {
            return Error::OutputTooLarge { limit: limits.output_bytes };
        }
        Error::Failed { code, log: log.text() }
    }

    async fn remove(mut self) -> Result<()> {
        remove(&self.client, &self.id).await.map_err(Error::docker("remove a container"))?;
        self.removed = true;
        Ok(())
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if self.removed {
            return;
        }
        // Where no runtime is left to do it, the next start of the owner removes the container.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (client, id) = (self.client.clone(), std::mem::take(&mut self.id));
            runtime.spawn(async move {
                if let Err(error) = remove(&client, &id).await {
                    tracing::warn!(container = id, %error, "could not remove a container");
                }
            });
        }
    }
}

/// Kills and removes; one that is already gone, or going, is fine.
async fn remove(client: &bollard::Docker, id: &str) -> Result<(), DockerError> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    match client.remove_container(id, Some(options)).await {
        Err(DockerError::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
        done => done,
    }
}

async fn read_log(mut output: impl Stream<Item = Result<LogOutput, DockerError>> + Unpin, log: &mut Log) -> Result<()> {
    while let Some(item) = output.next().await {
        // The stream breaks when the container is removed under it; what was printed until then is enough.
        let Ok(item) = item else { break };
        log.push(&item.into_bytes())?;
    }
    Ok(())
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
