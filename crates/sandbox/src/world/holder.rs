//! The process that makes worlds, and how a program enters one.
//!
//! This is the only module with `unsafe`. A process with threads cannot make a user namespace or leave its mount
//! namespace, so one child is forked when the sandbox starts, without `exec`: a program of its own would have to be
//! installed beside the sandbox. After the fork of a process with threads only async-signal-safe functions may be called
//! and nothing may be allocated, since any lock may be held for ever; so all that the child does are plain system calls
//! on memory that was there before. It serves requests on a socket until the sandbox's end of it is closed, which the
//! kernel does however the sandbox ends.
//!
//! A request is one packet: `1` and [`Steps`](super::steps::Steps) make a world; `2`, four bytes of an address and two of
//! a port listen in the world whose network comes with the packet; `3` makes a socket there. An answer is an error number,
//! the number of the step that failed and that of the request, each four bytes, and descriptors.

#![allow(unsafe_code)]
#![allow(clippy::cast_possible_truncation)] // sizes of a few bytes, in the types that C has for them

use std::ffi::CStr;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use tokio::process::Command;

/// Whether the child makes a user namespace first, without which only root may make the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Users {
    AsTheyAre,
    Own,
}

/// What a program goes through between fork and exec.
#[derive(Debug, Default)]
pub(crate) struct Entrance {
    /// Opened for writing; a process that writes `0` joins.
    pub(crate) control_groups: Vec<OwnedFd>,
    /// The user namespace if there is one, then the network, then the mounts.
    pub(crate) namespaces: Vec<OwnedFd>,
    /// Where the program starts, as seen from inside.
    pub(crate) folder: std::ffi::CString,
}

impl Entrance {
    /// Whether there is nothing to go through.
    pub(crate) fn is_open(&self) -> bool {
        self.control_groups.is_empty() && self.namespaces.is_empty()
    }
}

/// Makes the command's process join and enter before it becomes the program.
pub(crate) fn enter(command: &mut Command, entrance: Entrance) {
    let step = move || {
        for group in &entrance.control_groups {
            // SAFETY: one byte of a literal to a descriptor that the closure owns.
            check(unsafe { libc::write(group.as_raw_fd(), c"0".as_ptr().cast(), 1) })?;
        }
        for namespace in &entrance.namespaces {
            // SAFETY: a descriptor that the closure owns; 0 takes a namespace of any kind.
            check(unsafe { libc::setns(namespace.as_raw_fd(), 0) } as isize)?;
        }
        // SAFETY: a string that ends with a zero and lives as long as the closure.
        check(unsafe { libc::chdir(entrance.folder.as_ptr()) } as isize)?;
        Ok(())
    };
    // SAFETY: the closure makes system calls on what it owns; it neither allocates nor locks. `last_os_error` reads errno.
    unsafe { command.pre_exec(step) };
}

/// Forks the child that serves on `socket`, and returns its process id.
pub(super) fn fork(socket: OwnedFd, users: Users) -> io::Result<i32> {
    // SAFETY: these only read ids.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    let mut child = Child {
        socket: socket.as_raw_fd(),
        users,
        uid_map: format!("{uid} {uid} 1"),
        gid_map: format!("{gid} {gid} 1"),
        request: vec![0; super::steps::BYTES_MAX + 8].into(),
        base: -1,
        requests: 0,
    };
    // SAFETY: the child calls `run`, which keeps to what the module promises, and never returns.
    match unsafe { libc::fork() } {
        0 => child.run(),
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(pid),
    }
}

/// Two ends of a socket that keeps packets apart. Whoever receives from the first waits only for so long.
pub(super) fn pair(patience: Duration) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [-1; 2];
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
    // SAFETY: the kernel fills in two descriptors, which are taken once.
    let (near, far) = unsafe {
        check(libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) as isize)?;
        (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1]))
    };
    let patience = libc::timeval {
        tv_sec: patience.as_secs() as libc::time_t,
        tv_usec: 0,
    };
    // SAFETY: a pointer to a local, with its size.
    check(unsafe {
        libc::setsockopt(
            near.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVTIMEO,
            (&raw const patience).cast(),
            mem::size_of_val(&patience) as libc::socklen_t,
        )
    } as isize)?;
    Ok((near, far))
}

/// Waits for the child's end, which comes once its socket is closed.
pub(super) fn wait(pid: i32) {
    // SAFETY: only waits for our own child.
    unsafe { libc::waitpid(pid, ptr::null_mut(), 0) };
}

/// Sends one packet, with descriptors if there are any.
pub(super) fn send(socket: RawFd, bytes: &[u8], descriptors: &[RawFd]) -> io::Result<()> {
    let mut control = Control([0; 64]);
    let mut part = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    // SAFETY: zeroes are a valid `msghdr`.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    let count = descriptors.len().min(DESCRIPTORS_MAX);
    if count > 0 {
        let size = count * mem::size_of::<RawFd>();
        message.msg_control = (&raw mut control).cast();
        // SAFETY: `control` has room for `DESCRIPTORS_MAX` descriptors behind their header, and is aligned for it.
        unsafe {
            message.msg_controllen = libc::CMSG_SPACE(size as u32) as _;
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(size as u32) as _;
            ptr::copy_nonoverlapping(
                descriptors.as_ptr().cast::<u8>(),
                libc::CMSG_DATA(header),
                size,
            );
        }
    }
    // SAFETY: `message` points to what lives until the call returns.
    again_if_interrupted(|| unsafe {
        libc::sendmsg(socket, &raw const message, libc::MSG_NOSIGNAL)
    })?;
    Ok(())
}

/// Receives one packet: how long it is, 0 at the end, and its descriptors, `-1` where there is none.
pub(super) fn receive(
    socket: RawFd,
    bytes: &mut [u8],
) -> io::Result<(usize, [RawFd; DESCRIPTORS_MAX])> {
    let mut control = Control([0; 64]);
    let mut part = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    // SAFETY: zeroes are a valid `msghdr`.
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = (&raw mut control).cast();
    message.msg_controllen = mem::size_of::<Control>() as _;
    // SAFETY: `message` points to what lives until the call returns.
    let length = again_if_interrupted(|| unsafe {
        libc::recvmsg(socket, &raw mut message, libc::MSG_CMSG_CLOEXEC)
    })?;
    let mut descriptors = [-1; DESCRIPTORS_MAX];
    // SAFETY: the kernel has filled in headers that lie within `control`, and as many bytes as they say.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        if !header.is_null()
            && (*header).cmsg_level == libc::SOL_SOCKET
            && (*header).cmsg_type == libc::SCM_RIGHTS
        {
            let size = (*header).cmsg_len as usize - libc::CMSG_LEN(0) as usize;
            ptr::copy_nonoverlapping(
                libc::CMSG_DATA(header),
                descriptors.as_mut_ptr().cast::<u8>(),
                size.min(mem::size_of_val(&descriptors)),
            );
        }
    }
    Ok((usize::try_from(length).unwrap_or(0), descriptors))
}

/// Takes a descriptor that [`receive`] returned.
pub(super) fn own(descriptor: RawFd) -> Option<OwnedFd> {
    // SAFETY: the kernel has just made it for us, and each is taken once.
    (descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Everything that the child uses, made before the fork.
struct Child {
    socket: RawFd,
    users: Users,
    uid_map: String,
    gid_map: String,
    request: Box<[u8]>,
    /// The mount namespace that every world begins as a copy of.
    base: RawFd,
    /// Requests so far: whoever gave up waiting for one must not take its answer for that of the next.
    requests: u32,
}

impl Child {
    fn run(&mut self) -> ! {
        // SAFETY: system calls on the child's own state. All signals but SIGKILL and SIGSTOP wait for ever, so that no
        // handler of the sandbox runs here, and a Ctrl-C for the sandbox is not for its child. Descriptors are closed
        // because the child would keep the far ends of the sandbox's pipes open.
        unsafe {
            let mut all: libc::sigset_t = mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const all, ptr::null_mut());
            libc::setpgid(0, 0);
            let socket = libc::c_uint::try_from(self.socket).unwrap_or(0);
            let after = socket.wrapping_add(1);
            libc::syscall(libc::SYS_close_range, 0, socket.wrapping_sub(1), 0);
            if libc::syscall(libc::SYS_close_range, after, libc::c_uint::MAX, 0) < 0 {
                for descriptor in (0..DESCRIPTOR_MAX).filter(|other| *other != self.socket) {
                    close(descriptor);
                }
            }
        }
        let begun = self.begin();
        self.answer(begun.map(|user| [user, -1]), 0);
        while let Ok((length, descriptors)) = receive(self.socket, &mut self.request)
            && length > 0
        {
            self.requests = self.requests.wrapping_add(1);
            let mut step = 0;
            let made = match self.request[0] {
                MAKE => self.make(length, &mut step).map(|(net, mnt)| [net, mnt]),
                LISTEN => self.listen(descriptors[0]).map(|socket| [socket, -1]),
                _ => socket_in(descriptors[0]).map(|socket| [socket, -1]),
            };
            close(descriptors[0]);
            self.answer(made, step);
        }
        // SAFETY: ends the process without running anything of the sandbox.
        unsafe { libc::_exit(0) }
    }

    /// Makes what all worlds begin from; the descriptor is that of the user namespace.
    fn begin(&mut self) -> io::Result<RawFd> {
        let own_users = self.users == Users::Own;
        let also = if own_users { libc::CLONE_NEWUSER } else { 0 };
        // SAFETY: this process has one thread and shares nothing.
        check(unsafe { libc::unshare(libc::CLONE_NEWNS | also) } as isize)?;
        if own_users {
            // A group map needs this first, lest a process drop a group that it is locked out by.
            write_file(c"/proc/self/setgroups", b"deny")?;
            write_file(c"/proc/self/uid_map", self.uid_map.as_bytes())?;
            write_file(c"/proc/self/gid_map", self.gid_map.as_bytes())?;
        }
        mount(c"none", c"/", c"", c"", libc::MS_REC | libc::MS_PRIVATE)?;
        self.base = open(c"/proc/self/ns/mnt", libc::O_RDONLY)?;
        if own_users {
            open(c"/proc/self/ns/user", libc::O_RDONLY)
        } else {
            Ok(-1)
        }
    }

    fn make(&self, length: usize, step: &mut u32) -> io::Result<(RawFd, RawFd)> {
        // SAFETY: `base` is our own descriptor; this process has one thread and shares nothing.
        unsafe {
            check(libc::setns(self.base, libc::CLONE_NEWNS) as isize)?;
            check(libc::unshare(libc::CLONE_NEWNS | libc::CLONE_NEWNET) as isize)?;
        }
        bring_loopback_up()?;
        let mut rest = self.request.get(1..length).unwrap_or_default();
        while !rest.is_empty() {
            rest = take_step(rest)?;
            *step += 1;
        }
        let net = open(c"/proc/self/ns/net", libc::O_RDONLY)?;
        let mnt = open(c"/proc/self/ns/mnt", libc::O_RDONLY).inspect_err(|_| close(net))?;
        Ok((net, mnt))
    }

    fn listen(&self, net: RawFd) -> io::Result<RawFd> {
        let socket = socket_in(net)?;
        let mut address: libc::sockaddr_in = libc::sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: u16::from_ne_bytes([self.request[5], self.request[6]]),
            sin_addr: libc::in_addr {
                s_addr: u32::from_ne_bytes([
                    self.request[1],
                    self.request[2],
                    self.request[3],
                    self.request[4],
                ]),
            },
            sin_zero: [0; 8],
        };
        let one: libc::c_int = 1;
        // SAFETY: pointers to locals, with their sizes.
        let listening = unsafe {
            libc::setsockopt(
                socket,
                libc::SOL_SOCKET,
                libc::SO_REUSEADDR,
                (&raw const one).cast(),
                mem::size_of_val(&one) as libc::socklen_t,
            );
            check(libc::bind(
                socket,
                (&raw mut address).cast(),
                mem::size_of_val(&address) as libc::socklen_t,
            ) as isize)
            .and_then(|_| check(libc::listen(socket, BACKLOG) as isize))
        };
        listening.map(|_| socket).inspect_err(|_| close(socket))
    }

    /// Sends the descriptors, which are no longer needed here then.
    fn answer(&self, made: io::Result<[RawFd; 2]>, step: u32) {
        let number = match &made {
            Ok(_) => 0,
            Err(error) => error.raw_os_error().unwrap_or(libc::EIO),
        };
        let made = made.unwrap_or([-1; 2]);
        let count = made.iter().take_while(|made| **made >= 0).count();
        let mut bytes = [0; ANSWER_BYTES];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        bytes[4..8].copy_from_slice(&step.to_le_bytes());
        bytes[8..].copy_from_slice(&self.requests.to_le_bytes());
        // If the sandbox is gone, the next packet is the end.
        let _ = send(self.socket, &bytes, &made[..count]);
        for descriptor in &made[..count] {
            close(*descriptor);
        }
    }
}

/// Does the first step of a request and returns the others.
fn take_step(request: &[u8]) -> io::Result<&[u8]> {
    let bad = || io::Error::from_raw_os_error(libc::EBADMSG);
    let (head, mut rest) = request.split_at_checked(9).ok_or_else(bad)?;
    let mut flags = [0; 8];
    flags.copy_from_slice(&head[1..]);
    let flags = u64::from_le_bytes(flags);
    let mut strings = [c""; 4];
    for string in &mut strings {
        *string = CStr::from_bytes_until_nul(rest).map_err(|_| bad())?;
        rest = rest.get(string.count_bytes() + 1..).ok_or_else(bad)?;
    }
    let [first, second, kind, data] = strings;
    match head[0] {
        // SAFETY: strings that end with a zero and live until the call returns.
        super::steps::FOLDER => {
            check(unsafe { libc::mkdir(first.as_ptr(), flags as libc::mode_t) } as isize)?
        }
        super::steps::FILE => {
            close(open(first, libc::O_WRONLY | libc::O_CREAT)?);
            0
        }
        // SAFETY: as above.
        super::steps::LINK => {
            check(unsafe { libc::symlink(first.as_ptr(), second.as_ptr()) } as isize)?
        }
        super::steps::MOUNT => {
            mount(first, second, kind, data, flags)?;
            0
        }
        // SAFETY: as above.
        super::steps::UNMOUNT => {
            check(unsafe { libc::umount2(first.as_ptr(), libc::MNT_DETACH) } as isize)?
        }
        // SAFETY: as above.
        super::steps::STAND => check(unsafe { libc::chdir(first.as_ptr()) } as isize)?,
        _ => return Err(bad()),
    };
    Ok(rest)
}

fn mount(source: &CStr, target: &CStr, kind: &CStr, data: &CStr, flags: u64) -> io::Result<()> {
    let pointer = |text: &CStr| {
        if text.is_empty() {
            ptr::null()
        } else {
            text.as_ptr()
        }
    };
    // SAFETY: strings that end with a zero and live until the call returns, or null where mount takes that.
    check(unsafe {
        libc::mount(
            source.as_ptr(),
            target.as_ptr(),
            pointer(kind),
            flags,
            pointer(data).cast(),
        )
    } as isize)?;
    Ok(())
}

fn bring_loopback_up() -> io::Result<()> {
    // SAFETY: zeroes are a valid `ifreq`, and the pointer is to a local.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        check(socket as isize)?;
        let mut request: libc::ifreq = mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
        let up = check(libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw mut request) as isize);
        close(socket);
        up.map(|_| ())
    }
}

/// A socket belongs for ever to the network that its maker was in.
fn socket_in(net: RawFd) -> io::Result<RawFd> {
    // SAFETY: plain system calls.
    unsafe {
        check(libc::setns(net, libc::CLONE_NEWNET) as isize)?;
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        check(socket as isize)?;
        Ok(socket)
    }
}

fn write_file(path: &CStr, content: &[u8]) -> io::Result<()> {
    let file = open(path, libc::O_WRONLY)?;
    // SAFETY: the slice lives until the call returns.
    let written = check(unsafe { libc::write(file, content.as_ptr().cast(), content.len()) });
    close(file);
    written.map(|_| ())
}

fn open(path: &CStr, flags: libc::c_int) -> io::Result<RawFd> {
    // SAFETY: a string that ends with a zero and lives until the call returns.
    let opened = unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, 0o644) };
    check(opened as isize)?;
    Ok(opened)
}

fn close(descriptor: RawFd) {
    // SAFETY: a descriptor of our own that nobody uses any more, or none.
    unsafe { libc::close(descriptor) };
}

/// A socket with a timeout is left by every signal, such as that of a child that has ended. Whoever gave up then would
/// take the answer for that of its next question.
fn again_if_interrupted(mut call: impl FnMut() -> isize) -> io::Result<isize> {
    let mut attempts = 0;
    loop {
        match check(call()) {
            Err(error)
                if error.kind() == io::ErrorKind::Interrupted && attempts < INTERRUPTIONS_MAX =>
            {
                attempts += 1;
            }
            done => return done,
        }
    }
}

fn check(result: isize) -> io::Result<isize> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

/// Each is a signal; this many do not come while one packet is awaited.
const INTERRUPTIONS_MAX: u32 = 10_000;

/// Room for the descriptors of one packet, aligned as their header needs.
#[repr(C, align(8))]
struct Control([u8; 64]);

pub(super) const MAKE: u8 = 1;
pub(super) const LISTEN: u8 = 2;
pub(super) const SOCKET: u8 = 3;
pub(super) const ANSWER_BYTES: usize = 12;
pub(super) const DESCRIPTORS_MAX: usize = 4;
/// How far to look for open descriptors on a kernel that cannot close them all at once.
const DESCRIPTOR_MAX: RawFd = 4096;
/// Connections that wait to be accepted.
const BACKLOG: libc::c_int = 128;
