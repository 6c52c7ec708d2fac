package dev.tealight;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Locale;

/**
 * Loads the native library: the file that {@code dev.tealight.library} names, else the one in this
 * jar that is for this machine, else the one where the system looks, which is how Android has it.
 */
final class NativeLibrary {
    private static final String NAME = "tealight_jni";

    private NativeLibrary() {}

    static void load() {
        String file = System.getProperty("dev.tealight.library");
        if (file != null) {
            System.load(file);
            return;
        }
        String place = "native/" + machine() + "/" + System.mapLibraryName(NAME);
        try (InputStream packed = NativeLibrary.class.getResourceAsStream(place)) {
            if (packed == null) {
                System.loadLibrary(NAME);
            } else {
                loadUnpacked(packed);
            }
        } catch (IOException failed) {
            throw new UnsatisfiedLinkError(
                    "cannot unpack " + place + " into " + System.getProperty("java.io.tmpdir")
                            + ": " + failed.getMessage()
                            + "; or name the library's file in dev.tealight.library");
        }
    }

    /** Systems load files, so that there is one until it is loaded; on Windows, until the end. */
    private static void loadUnpacked(InputStream packed) throws IOException {
        File file = File.createTempFile(NAME, System.mapLibraryName(""));
        try {
            try (OutputStream unpacked = new FileOutputStream(file)) {
                byte[] bytes = new byte[1 << 16];
                for (int count = packed.read(bytes); count >= 0; count = packed.read(bytes)) {
                    unpacked.write(bytes, 0, count);
                }
            }
            System.load(file.getPath());
        } finally {
            if (!file.delete()) {
                file.deleteOnExit();
            }
        }
    }

    /** System and processor as Rust names them. */
    private static String machine() {
        String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        if (system.startsWith("mac")) {
            system = "macos";
        } else if (system.startsWith("windows")) {
            system = "windows";
        }
        if (processor.equals("amd64")) {
            processor = "x86_64";
        } else if (processor.equals("arm64")) {
            processor = "aarch64";
        }
        return system + "-" + processor;
    }
}
