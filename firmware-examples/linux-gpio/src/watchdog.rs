//! The kernel's watchdog, as its `Documentation/watchdog/watchdog-api.rst` says.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use firmware_app::app::Watchdog;

/// What tells the kernel that the program ends because it has finished.
const GOODBYE: &[u8] = b"V";

/// A watchdog, or none.
pub struct Device(Option<File>);

impl Device {
    /// Starts it. From now on the system restarts when it is not fed.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: Option<&Path>) -> io::Result<Device> {
        let open = |path| File::options().write(true).open(path);
        path.map(open).transpose().map(Device)
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(file) = &mut self.0 {
            // A watchdog that cannot be fed restarts the system, which is what it is for.
            let _ = file.write_all(bytes);
        }
    }
}

impl Watchdog for Device {
    fn feed(&mut self) {
        self.write(b"\0");
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.write(GOODBYE);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_that_ends_well_says_goodbye_after_feeding() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("watchdog");
        fs::write(&path, "").unwrap();
        let mut device = Device::open(Some(&path)).unwrap();
        device.feed();
        drop(device);
        assert_eq!(fs::read(path).unwrap(), b"\0V");
    }
}
