use object::Endianness;
use object::elf::{EM_AARCH64, EM_X86_64, FileHeader64, PT_INTERP};
use object::read::elf::{FileHeader, ProgramHeader};

use crate::target::GlibcVersion;

/// What a program asks of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Needs {
    pub(crate) arch: &'static str,
    pub(crate) interpreter: Option<String>,
    pub(crate) glibc: Option<GlibcVersion>,
}

type Header = FileHeader64<Endianness>;

/// Reads a program. The newest symbol version that it names decides which glibc it needs.
pub(crate) fn needs(data: &[u8]) -> Result<Needs, String> {
    let header = Header::parse(data).map_err(|error| format!("it is no 64-bit Linux program ({error})"))?;
    let broken = |error: object::Error| format!("its ELF structure is broken: {error}");
    let endian = header.endian().map_err(broken)?;
    let arch = match header.e_machine(endian) {
        EM_X86_64 => "x86_64",
        EM_AARCH64 => "aarch64",
        other => {
            return Err(format!(
                "it is for a processor that the platform does not have (ELF machine {other})"
            ));
        }
    };
    let mut interpreter = None;
    for segment in header.program_headers(endian, data).map_err(broken)? {
        if segment.p_type(endian) == PT_INTERP {
            let text = segment
                .data(endian, data)
                .map_err(|()| "its ELF structure is broken: PT_INTERP".to_owned())?;
            let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
            interpreter = Some(String::from_utf8_lossy(text).into_owned());
        }
    }
    let sections = header.sections(endian, data).map_err(broken)?;
    let mut glibc = None;
    if let Some((mut needed, link)) = sections.gnu_verneed(endian, data).map_err(broken)? {
        let strings = sections.strings(endian, data, link).map_err(broken)?;
        while let Some((_, mut versions)) = needed.next().map_err(broken)? {
            while let Some(version) = versions.next().map_err(broken)? {
                let name = version.name(endian, strings).map_err(broken)?;
                glibc = glibc.max(GlibcVersion::of_symbol(&String::from_utf8_lossy(name)));
            }
        }
    }
    Ok(Needs { arch, interpreter, glibc })
}

/// The version of glibc that a `libc.so.6` is: the newest symbol version that it defines.
pub(crate) fn provided_glibc(data: &[u8]) -> Option<GlibcVersion> {
    let header = Header::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, data).ok()?;
    let (mut defined, link) = sections.gnu_verdef(endian, data).ok()??;
    let strings = sections.strings(endian, data, link).ok()?;
    let mut newest = None;
    while let Some((_, mut versions)) = defined.next().ok()? {
        while let Some(version) = versions.next().ok()? {
            let name = version.name(endian, strings).ok()?;
            newest = newest.max(GlibcVersion::of_symbol(&String::from_utf8_lossy(name)));
        }
    }
    newest
}
