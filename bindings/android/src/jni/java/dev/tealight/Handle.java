package dev.tealight;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * The number that stands for an object on the native side. It is freed once: when the object is
 * closed, or else some time after its owner was forgotten.
 */
final class Handle extends PhantomReference<Object> {
    private static final ReferenceQueue<Object> FORGOTTEN = new ReferenceQueue<>();

    /** Keeps the handles themselves from being forgotten. */
    private static final Set<Handle> OPEN = ConcurrentHashMap.newKeySet();

    private final AtomicLong number;
    private final LongConsumer free;

    Handle(Object owner, long number, LongConsumer free) {
        super(owner, FORGOTTEN);
        this.number = new AtomicLong(number);
        this.free = free;
        OPEN.add(this);
        freeForgotten();
    }

    /** The number; 0, which stands for nothing, once it was freed. */
    long number() {
        return number.get();
    }

    void free() {
        long mine = number.getAndSet(0);
        OPEN.remove(this);
        if (mine != 0) {
            free.accept(mine);
        }
    }

    private static void freeForgotten() {
        Reference<?> reference = FORGOTTEN.poll();
        while (reference != null) {
            ((Handle) reference).free();
            reference = FORGOTTEN.poll();
        }
    }
}
