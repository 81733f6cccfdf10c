//! The world around an environment: its own, as on Lambda, or the one that all share.
//!
//! A world of its own is a network namespace with nothing but a loopback, so that every extension finds the ports free that
//! it is used to, and a mount namespace in which `/var/task`, `/opt` and `/tmp` are the environment's. Both need root or
//! user namespaces; where the machine grants neither, ports and folders are told in environment variables instead.

mod file_system;
mod holder;
mod steps;

use std::ffi::CString;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use crate::doors::{self, Doors};

use file_system::EXTENSIONS;
pub(crate) use file_system::{FileSystem, kept};
use holder::Users;
pub(crate) use holder::{Entrance, enter};
use steps::Steps;

/// Where environments live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum World {
    /// Each in a world of its own where the machine allows it, else in the shared one.
    #[default]
    Auto,
    /// Each in a world of its own, or the sandbox does not start.
    Own,
    /// All on the machine's loopback and in its file system, told apart by ports and folders in environment variables.
    Shared,
}

/// Where the environments of a running sandbox live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorldUsed {
    /// Each in a world of its own.
    Own,
    /// All in the machine's.
    Shared {
        /// Why not each in its own.
        why: String,
    },
}

impl fmt::Display for WorldUsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str(
                "each environment has its own loopback, /var/task, /opt and /tmp, and reaches nothing but its doors",
            ),
            Self::Shared { why } => write!(
                f,
                "environments share this machine's loopback and file system, with ports and folders in their variables: {why}"
            ),
        }
    }
}

/// What makes worlds, if they are wanted and can be made, and what that comes to.
///
/// # Errors
/// They were asked for, and why they cannot be made.
pub(crate) fn choose(
    wanted: World,
    folder: &Folder,
) -> Result<(Option<Arc<Worlds>>, WorldUsed), String> {
    let wanted = match wanted {
        World::Auto => world_of_machine(),
        wanted => wanted,
    };
    if wanted == World::Shared {
        let why = "as it was asked for".to_owned();
        return Ok((None, WorldUsed::Shared { why }));
    }
    match Worlds::start(folder) {
        Ok(worlds) => Ok((Some(Arc::new(worlds)), WorldUsed::Own)),
        Err(why) if wanted == World::Own => Err(why),
        Err(why) => Ok((None, WorldUsed::Shared { why })),
    }
}

/// What whoever runs this machine has chosen, for a build machine where namespaces are there but not wanted.
#[allow(clippy::disallowed_methods)] // the edge
fn world_of_machine() -> World {
    match std::env::var(WORLD_VARIABLE).as_deref() {
        Ok("own") => World::Own,
        Ok("shared") => World::Shared,
        _ => World::Auto,
    }
}

/// What makes worlds.
#[derive(Debug)]
pub(crate) struct Worlds {
    line: Mutex<Line>,
    holder: i32,
    /// The namespace that a process enters first, where only that lets it enter the others.
    users: Option<OwnedFd>,
    stage: PathBuf,
}

/// The way to the holder.
#[derive(Debug)]
struct Line {
    socket: OwnedFd,
    /// Requests so far.
    requests: u32,
}

impl Worlds {
    /// Makes a first world, to see that it can be done; `folder` is the sandbox's own.
    ///
    /// # Errors
    /// Why it cannot, in words for the user.
    pub(crate) fn start(folder: &Folder) -> Result<Self, String> {
        file_system::can_be_made()?;
        let stage = folder.path().join("stage");
        std::fs::create_dir_all(&stage).map_err(|error| error.to_string())?;
        Self::try_start(&stage, Users::AsTheyAre).or_else(|without| {
            Self::try_start(&stage, Users::Own)
                .map_err(|with| format!("{without}; in a user namespace: {with}"))
        })
    }

    fn try_start(stage: &Path, users: Users) -> Result<Self, String> {
        let (near, far) = holder::pair(PATIENCE).map_err(|error| error.to_string())?;
        let holder = holder::fork(far, users).map_err(|error| format!("cannot fork: {error}"))?;
        let mut worlds = Self {
            line: Mutex::new(Line {
                socket: near,
                requests: 0,
            }),
            holder,
            users: None,
            stage: stage.to_owned(),
        };
        let begun = receive(&worlds.line());
        let [users, _] = begun.map_err(|(error, _)| format!("cannot make namespaces: {error}"))?;
        worlds.users = users;
        let probe = FileSystem {
            storage_mb: 1,
            ..FileSystem::default()
        };
        worlds.make(&probe).map_err(|error| error.to_string())?;
        Ok(worlds)
    }

    fn make(&self, file_system: &FileSystem) -> io::Result<(OwnedFd, OwnedFd)> {
        let steps = file_system.steps(&self.stage)?;
        if steps.bytes().len() > steps::BYTES_MAX {
            let message = "/var and /opt have too many entries to show them in a world of its own";
            return Err(io::Error::other(message));
        }
        let packet = [&[holder::MAKE], steps.bytes()].concat();
        match self.ask(&packet, None) {
            Ok([Some(net), Some(mounts)]) => Ok((net, mounts)),
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err((error, step)) => Err(io::Error::new(
                error.kind(),
                format!("cannot {}: {error}", self.told(&steps, step)),
            )),
        }
    }

    fn told(&self, steps: &Steps, step: u32) -> String {
        steps
            .told(step)
            .replace(&format!("{}/", self.stage.display()), "/")
    }

    fn listen(&self, net: BorrowedFd<'_>, at: SocketAddrV4) -> io::Result<TcpListener> {
        let mut packet = vec![holder::LISTEN];
        packet.extend(at.ip().octets());
        packet.extend(at.port().to_be_bytes());
        self.socket_from(&packet, net).map(TcpListener::from)
    }

    fn socket_from(&self, packet: &[u8], net: BorrowedFd<'_>) -> io::Result<OwnedFd> {
        match self.ask(packet, Some(net)) {
            Ok([Some(socket), _]) => Ok(socket),
            Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err((error, _)) => Err(error),
        }
    }

    fn ask(&self, packet: &[u8], net: Option<BorrowedFd<'_>>) -> Answer {
        let mut line = self.line();
        let descriptors: Vec<_> = net.iter().map(AsRawFd::as_raw_fd).collect();
        holder::send(line.socket.as_raw_fd(), packet, &descriptors).map_err(|error| (error, 0))?;
        line.requests = line.requests.wrapping_add(1);
        receive(&line)
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Worlds {
    fn drop(&mut self) {
        // The end of the socket is what the holder waits for.
        if let Ok((near, _)) = holder::pair(PATIENCE) {
            self.line().socket = near;
            holder::wait(self.holder);
        }
    }
}

/// Descriptors, or what went wrong at which step.
type Answer = Result<[Option<OwnedFd>; 2], (io::Error, u32)>;

/// The answer to the last request. Those to requests that nobody waits for any more are thrown away.
fn receive(line: &Line) -> Answer {
    loop {
        let mut bytes = [0; holder::ANSWER_BYTES];
        let (length, descriptors) = holder::receive(line.socket.as_raw_fd(), &mut bytes)
            .map_err(|error| (patient(error), 0))?;
        let made = [holder::own(descriptors[0]), holder::own(descriptors[1])];
        if length < bytes.len() {
            return Err((io::ErrorKind::UnexpectedEof.into(), 0));
        }
        let [a, b, c, d, e, f, g, h, request @ ..] = bytes;
        if u32::from_le_bytes(request) != line.requests {
            continue;
        }
        return match i32::from_le_bytes([a, b, c, d]) {
            0 => Ok(made),
            number => {
                let step = u32::from_le_bytes([e, f, g, h]);
                Err((io::Error::from_raw_os_error(number), step))
            }
        };
    }
}

/// "Try again" is what the system says when the time is up.
fn patient(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock {
        let message = format!(
            "no answer within {} s; this machine is very busy, or a file system does not respond",
            PATIENCE.as_secs()
        );
        return io::Error::new(io::ErrorKind::TimedOut, message);
    }
    error
}

/// The world of one environment. Cheap to clone; it is gone with the last clone and the last process in it.
#[derive(Debug, Clone)]
pub(crate) struct Place(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    Own {
        net: Arc<Net>,
        mounts: OwnedFd,
        /// The relays of the doors.
        _doors: JoinSet<()>,
    },
    Shared {
        tmp: PathBuf,
    },
}

/// The network of one world.
#[derive(Debug)]
struct Net {
    worlds: Arc<Worlds>,
    namespace: OwnedFd,
}

impl Net {
    fn listen(&self, at: SocketAddrV4) -> io::Result<TcpListener> {
        let listener = self.worlds.listen(self.namespace.as_fd(), at)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }
}

impl Place {
    /// A new world, with these doors open.
    pub(crate) fn own(
        worlds: &Arc<Worlds>,
        file_system: &FileSystem,
        doors: &Doors,
    ) -> io::Result<Self> {
        let (namespace, mounts) = worlds.make(file_system)?;
        let net = Arc::new(Net {
            worlds: worlds.clone(),
            namespace,
        });
        let mut relays = JoinSet::new();
        for frame in doors.frames() {
            let at = frame.inside();
            let listener = tokio::net::TcpListener::from_std(net.listen(at)?)?;
            let net = net.clone();
            let again = move || tokio::net::TcpListener::from_std(net.listen(at)?);
            relays.spawn(doors::attend(frame.clone(), listener, again));
        }
        Ok(Self(Arc::new(Kind::Own {
            net,
            mounts,
            _doors: relays,
        })))
    }

    /// The machine's world, with a folder of its own for what would be in `/tmp`.
    pub(crate) fn shared(tmp: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&tmp)?;
        Ok(Self(Arc::new(Kind::Shared { tmp })))
    }

    /// The shared world, for a test of what happens to be in one.
    #[cfg(test)]
    pub(crate) fn of_test() -> Self {
        let name = format!("throughline-test-{}", uuid::Uuid::new_v4().simple());
        Self::shared(std::env::temp_dir().join(name)).unwrap()
    }

    /// Whether fixed ports and paths can be used in it.
    pub(crate) fn is_own(&self) -> bool {
        matches!(&*self.0, Kind::Own { .. })
    }

    /// The folder that `TMPDIR` has to name because `/tmp` is everybody's.
    pub(crate) fn tmp(&self) -> Option<&Path> {
        match &*self.0 {
            Kind::Own { .. } => None,
            Kind::Shared { tmp } => Some(tmp),
        }
    }

    /// Listens for what runs in it: at this address in a world of its own, on a free port of loopback in the shared one.
    pub(crate) fn listen(&self, at: SocketAddrV4) -> io::Result<TcpListener> {
        match &*self.0 {
            Kind::Own { net, .. } => net.listen(at),
            Kind::Shared { .. } => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
                listener.set_nonblocking(true)?;
                Ok(listener)
            }
        }
    }

    /// Connects to what listens in it.
    pub(crate) async fn connect(&self, to: SocketAddr) -> io::Result<TcpStream> {
        match &*self.0 {
            Kind::Shared { .. } => TcpStream::connect(to).await,
            Kind::Own { net, .. } => {
                let namespace = net.namespace.as_fd();
                let socket = net.worlds.socket_from(&[holder::SOCKET], namespace)?;
                let socket = std::net::TcpStream::from(socket);
                socket.set_nonblocking(true)?;
                TcpSocket::from_std_stream(socket).connect(to).await
            }
        }
    }

    /// What a program goes through to be in it, starting in this folder of it. Nothing in the shared world.
    pub(crate) fn entrance(&self, folder: &Path) -> io::Result<Entrance> {
        let mut namespaces = Vec::new();
        if let Kind::Own { net, mounts, .. } = &*self.0 {
            let users = net.worlds.users.iter();
            for namespace in users.chain([&net.namespace, mounts]) {
                namespaces.push(namespace.try_clone()?);
            }
        }
        Ok(Entrance {
            control_groups: Vec::new(),
            namespaces,
            folder: CString::new(folder.as_os_str().as_bytes())?,
        })
    }

    /// Where an extension is seen in it.
    pub(crate) fn extension(&self, path: &Path) -> PathBuf {
        match path.file_name() {
            Some(name) if self.is_own() => Path::new(EXTENSIONS).join(name),
            _ => path.to_owned(),
        }
    }
}

impl Drop for Kind {
    fn drop(&mut self) {
        if let Self::Shared { tmp } = self {
            // What cannot be removed goes with the sandbox's own folder, or stays in the temporary folder of the system.
            let _ = std::fs::remove_dir_all(tmp);
        }
    }
}

/// A folder of the sandbox's own in the system's temporary folder, removed at its end.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn make() -> io::Result<Self> {
        let name = format!(
            "throughline-sandbox-{}-{}",
            std::process::id(),
            uuid::Uuid::new_v4().simple()
        );
        let path = std::env::temp_dir().join(name);
        // What functions write to their /tmp is nobody else's.
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where the Runtime API listens in a world of its own, as on Lambda.
pub(crate) const RUNTIME_API: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9001);
/// `own` or `shared`; what [`World::Auto`] means then.
const WORLD_VARIABLE: &str = "THROUGHLINE_SANDBOX_WORLD";
/// How long the holder may take for one request; it takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_that_comes_too_late_is_not_taken_for_the_next_one() {
        let (near, far) = holder::pair(Duration::from_secs(1)).unwrap();
        let line = Line {
            socket: near,
            requests: 2,
        };
        for (number, request) in [(libc::EPERM, 1_u32), (libc::ENOENT, 2)] {
            let packet = [number.to_le_bytes(), [0; 4], request.to_le_bytes()].concat();
            holder::send(far.as_raw_fd(), &packet, &[]).unwrap();
        }
        let (error, _) = receive(&line).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
        let (error, _) = receive(&line).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    /// What a world of its own adds to a cold start; run it with `--nocapture`.
    #[tokio::test]
    #[allow(clippy::disallowed_methods)] // a measurement needs the clock
    async fn making_a_world_takes_no_longer_than_a_process() {
        let folder = Folder::make().unwrap();
        let worlds = match Worlds::start(&folder) {
            Ok(worlds) => Arc::new(worlds),
            Err(why) => return println!("skipped: {why}"),
        };
        let file_system = FileSystem {
            storage_mb: 512,
            ..FileSystem::default()
        };
        let mut made = Vec::new();
        let mut micros = Vec::new();
        for _ in 0..20 {
            let begin = std::time::Instant::now();
            let place = Place::own(&worlds, &file_system, &Doors::default()).unwrap();
            drop(place.listen(RUNTIME_API).unwrap());
            micros.push(begin.elapsed().as_micros());
            made.push(place);
        }
        micros.sort_unstable();
        println!("own world: median {} µs, all {micros:?}", micros[10]);
        micros.clear();
        for _ in 0..20 {
            made.pop();
            let begin = std::time::Instant::now();
            made.insert(
                0,
                Place::own(&worlds, &file_system, &Doors::default()).unwrap(),
            );
            micros.push(begin.elapsed().as_micros());
        }
        micros.sort_unstable();
        println!("while others end: median {} µs, all {micros:?}", micros[10]);
        assert!(micros[10] < 1_000_000, "{micros:?}");
    }
}
