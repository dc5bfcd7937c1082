//! How far a process can be cut off on this machine: command lines of util-linux to put before a program's own.

use std::process::Stdio;

use tokio::process::Command;

/// A command line before the program's own, and what it achieves.
#[derive(Debug)]
pub(crate) struct Isolation {
    prefix: &'static str,
    /// No network, no signals to other processes.
    pub(crate) has_namespaces: bool,
    /// Ends with the agent, has no capabilities and can gain none.
    pub(crate) drops_privileges: bool,
}

/// Each answers to a kind of machine. The capabilities that a new user namespace brings are given up inside it.
static ISOLATIONS: [Isolation; 6] = [
    // Root, and a kernel that allows user namespaces.
    Isolation {
        prefix: "setpriv --pdeathsig KILL --no-new-privs -- \
                 unshare --user --map-current-user --net --ipc --uts --pid --fork --kill-child -- \
                 setpriv --bounding-set=-all --inh-caps=-all --",
        has_namespaces: true,
        drops_privileges: true,
    },
    // Anyone, and a kernel that allows user namespaces: a user without privileges loses those of the namespace with exec.
    Isolation {
        prefix: "setpriv --pdeathsig KILL --no-new-privs -- \
                 unshare --user --map-current-user --net --ipc --uts --pid --fork --kill-child --",
        has_namespaces: true,
        drops_privileges: true,
    },
    // Root, and a kernel that keeps user namespaces closed.
    Isolation {
        prefix: "setpriv --pdeathsig KILL -- unshare --net --ipc --uts --pid --fork --kill-child -- \
                 setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --",
        has_namespaces: true,
        drops_privileges: true,
    },
    // Inside a container that closes all namespaces, as root and as anyone.
    Isolation {
        prefix: "setpriv --pdeathsig KILL --no-new-privs --bounding-set=-all --inh-caps=-all --",
        has_namespaces: false,
        drops_privileges: true,
    },
    Isolation { prefix: "setpriv --pdeathsig KILL --no-new-privs --", has_namespaces: false, drops_privileges: true },
    Isolation { prefix: "", has_namespaces: false, drops_privileges: false },
];

impl Isolation {
    /// The first under which a program starts on this machine.
    pub(crate) async fn find() -> &'static Self {
        let mut found = &ISOLATIONS[ISOLATIONS.len() - 1];
        for isolation in &ISOLATIONS {
            let mut words = isolation.words();
            let Some(first) = words.next() else { break };
            let mut command = Command::new(first);
            command.args(words).arg("true").kill_on_drop(true);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if command.status().await.is_ok_and(|status| status.success()) {
                found = isolation;
                break;
            }
        }
        found
    }

    /// The command line.
    pub(crate) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.prefix.split_whitespace()
    }

    /// What is not isolated, in sentences for a person.
    pub(crate) fn risks(&self) -> Vec<&'static str> {
        let mut risks = vec![
            "the trainer can read and change every file that your user can; use Docker for trainers you did not build",
            "memory is limited per process and the number of processes is not limited",
        ];
        if !self.has_namespaces {
            risks.push("the trainer can use the network and signal your processes: this machine allows no namespaces");
        }
        if !self.drops_privileges {
            risks.push(
                "the trainer can gain privileges and outlive a killed agent, because setpriv is missing (util-linux)",
            );
        }
        risks
    }
}
