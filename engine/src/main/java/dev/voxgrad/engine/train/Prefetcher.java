package dev.voxgrad.engine.train;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongFunction;

/**
 * Makes items 0, 1, 2, ... on worker threads ahead of their use and hands them out in order. An item is a function of its index, so
 * neither the number of workers nor their timing changes what comes out.
 */
final class Prefetcher<T> implements AutoCloseable {
    private final ExecutorService workers;
    private final LongFunction<T> make;
    private final Deque<Future<T>> pending = new ArrayDeque<>();
    private final long end;
    private final int ahead;
    private long next;

    /**
     * Starts working.
     *
     * @param threads number of worker threads
     * @param ahead items that may wait, finished or not
     * @param from first index
     * @param end one past the last index
     */
    Prefetcher(int threads, int ahead, long from, long end, LongFunction<T> make) {
        this.workers = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().name("voxgrad-batch-", 0).daemon().factory());
        this.make = make;
        this.next = from;
        this.end = end;
        this.ahead = ahead;
        fill();
    }

    private void fill() {
        while (pending.size() < ahead && next < end) {
            long index = next++;
            pending.addLast(workers.submit(() -> make.apply(index)));
        }
    }

    /** The next item in order; an exception of its worker is thrown here. */
    T take() throws InterruptedException {
        Future<T> first = pending.removeFirst();
        fill();
        try {
            return first.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("preparing a batch failed", e.getCause());
        }
    }

    @Override
    public void close() {
        workers.shutdownNow();
    }
}
