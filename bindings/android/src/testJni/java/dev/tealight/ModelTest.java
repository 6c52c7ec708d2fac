package dev.tealight;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Models: opening, asking, closing, and what can go wrong with them. */
public class ModelTest {
    /** The embedded model's export, so that compiling can be seen. */
    private static final Path EXPORT = Paths.get(System.getProperty("dev.tealight.home"));

    @Rule public final TemporaryFolder folder = new TemporaryFolder();

    @Test
    public void anExportIsCompiledOnceAndTellsHowFarItIs() throws Exception {
        ModelOptions options = new ModelOptions().cache(folder.newFolder("cache").getPath());
        List<LoadProgress> told = new ArrayList<>();
        try (Model model = Model.open(EXPORT.toString(), options, told::add)) {
            assertEquals("[END_OF_TEXT]", reasons(model));
        }
        assertFalse(told.isEmpty());
        told.clear();
        Model.open(EXPORT.toString(), options, told::add).close();
        assertTrue("found again", told.isEmpty());
    }

    private static String reasons(Model model) {
        try (Chat chat = model.chat()) {
            return "[" + chat.stream("lights on", text -> {}).reason() + "]";
        }
    }

    @Test
    public void aModelIsOpenedOnAnotherThread() throws Exception {
        ModelOptions options = new ModelOptions().cache(folder.newFolder("cache").getPath());
        CompletableFuture<Model> opening = Model.openAsync(EXPORT.toString(), options, null);
        try (Model model = opening.get(60, TimeUnit.SECONDS)) {
            assertEquals("[END_OF_TEXT]", reasons(model));
        }
    }

    @Test
    public void keysAndValuesMayBeKeptInEachWay() {
        for (ModelOptions.KvType kv : ModelOptions.KvType.values()) {
            try (Model model = Model.embedded(new ModelOptions().kv(kv))) {
                assertEquals(kv.name(), "[END_OF_TEXT]", reasons(model));
            }
        }
    }

    @Test
    public void whatAListenerOfProgressThrowsComesThrough() throws Exception {
        ModelOptions options = new ModelOptions().cache(folder.newFolder("cache").getPath());
        IllegalStateException own = new IllegalStateException("own");
        IllegalStateException thrown =
                assertThrows(
                        IllegalStateException.class,
                        () ->
                                Model.open(
                                        EXPORT.toString(),
                                        options,
                                        progress -> {
                                            throw own;
                                        }));
        assertEquals(own, thrown);
        Model.open(EXPORT.toString(), options, null).close();
    }

    @Test
    public void aModelIsKnownBeforeItIsLoaded() throws Exception {
        ModelOptions options = new ModelOptions().cache(folder.newFolder("cache").getPath());
        ModelInfo info = Model.info(EXPORT.toString(), options);
        assertTrue(info.hasChatTemplate() && info.hasTokenizer());
        assertTrue(info.vocab() > 256);
        assertTrue(info.memoryEstimate() > info.fileBytes());
        ModelInfo large = Model.info(EXPORT.toString(), options.kv(ModelOptions.KvType.F32).context(64));
        assertEquals(64, large.chatContext());
        assertEquals(2 * info.bytesPerToken(), large.bytesPerToken());
        try (Model model = Model.embedded()) {
            assertEquals(info.fileBytes(), model.info().fileBytes());
        }
    }

    @Test
    public void closingTwiceIsClosing() {
        Model model = Model.embedded();
        Chat chat = model.chat();
        model.close();
        model.close();
        assertThrows(TealightException.Closed.class, model::chat);
        assertTrue("chats go on", chat.ask("lights on").startsWith("{"));
        chat.close();
        chat.close();
    }

    @Test
    public void whatIsNotThereIsNotFound() {
        assertThrows(TealightException.NotFound.class, () -> Model.open("nowhere/model.tea"));
        assertThrows(TealightException.NotFound.class, () -> Model.info("nowhere/model.tea"));
    }

    @Test
    public void brokenAndForeignFilesAreToldApart() throws IOException {
        byte[] whole = Files.readAllBytes(compiled());
        Path file = folder.newFile("model.tea").toPath();
        Files.write(file, Arrays.copyOf(whole, whole.length / 2));
        assertThrows(TealightException.Damaged.class, () -> Model.open(file.toString()));
        // The format's version comes after eight bytes of magic.
        byte[] newer = whole.clone();
        newer[8] += 1;
        Files.write(file, newer);
        assertThrows(TealightException.Unsupported.class, () -> Model.open(file.toString()));
        Files.write(file, whole);
        Model.open(file.toString()).close();
    }

    private Path compiled() throws IOException {
        Path cache = folder.newFolder("compiled").toPath();
        Model.open(EXPORT.toString(), new ModelOptions().cache(cache.toString()), null).close();
        try (Stream<Path> files = Files.list(cache)) {
            return files.filter(file -> file.toString().endsWith(".tea")).findFirst().get();
        }
    }

    @Test
    public void aPlanThatCannotBeKeptIsAQuestionOfStorage() throws IOException {
        Path export = folder.newFolder("export").toPath();
        try (Stream<Path> files = Files.list(EXPORT)) {
            files.forEach(file -> copy(file, export.resolve(file.getFileName())));
        }
        // A file lies where the folder beside the model should be.
        Files.createFile(export.resolve(".tealight"));
        ModelOptions options = new ModelOptions().cache(folder.newFile("file").getPath());
        assertThrows(
                TealightException.Storage.class,
                () -> Model.open(export.toString(), options, null));
    }

    private static void copy(Path from, Path to) {
        try {
            Files.copy(from, to);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    @Test
    public void senselessOptionsAreInvalidInput() {
        assertThrows(TealightException.InvalidInput.class, () -> new ModelOptions().threads(0));
        try (Model model = Model.embedded()) {
            ChatOptions large = new ChatOptions().context(model.info().context() + 1);
            assertThrows(TealightException.InvalidInput.class, () -> model.chat(large));
        }
    }

    @Test
    public void loadingThatWasCancelledSaysSo() {
        long loading = Native.load(null, -1, -1, -1, -1, null);
        Native.loadCancel(loading);
        assertThrows(TealightException.Cancelled.class, () -> Native.loadFinish(loading));
        Native.loadFree(loading);
        assertThrows(TealightException.Closed.class, () -> Native.loadFinish(loading));
    }

    @Test
    public void numbersThatStandForNothingAreClosed() {
        for (long number : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThrows(TealightException.Closed.class, () -> Native.modelInfo(number));
            assertThrows(TealightException.Closed.class, () -> Native.chatMessages(number));
            assertThrows(TealightException.Closed.class, () -> Native.replyNext(number));
            Native.modelFree(number);
            Native.chatClose(number);
            Native.chatFree(number);
            Native.replyFree(number);
        }
    }

    @Test
    public void whatIsForgottenIsFreed() throws InterruptedException {
        AtomicLong freed = new AtomicLong();
        new Handle(new Object(), 42, freed::set);
        for (int time = 0; time < 500 && freed.get() == 0; time++) {
            System.gc();
            Thread.sleep(10);
            // The next object that is opened frees what was forgotten.
            new Handle(this, 0, number -> {}).free();
        }
        assertEquals(42, freed.get());
    }

    @Test
    public void aThousandLoadsLeaveNothingBehind() throws IOException {
        loads(200);
        long before = residentKilobytes();
        loads(1000);
        long grown = residentKilobytes() - before;
        assertTrue("grew by " + grown + " kB", grown < 4096);
    }

    private static void loads(int times) {
        for (int time = 0; time < times; time++) {
            try (Model model = Model.embedded(new ModelOptions().threads(2));
                    Chat chat = model.chat()) {
                if (time % 50 == 0) {
                    chat.ask("lights on");
                }
            }
        }
    }

    private static long residentKilobytes() throws IOException {
        System.gc();
        for (String line : Files.readAllLines(Paths.get("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("no VmRSS");
    }
}
