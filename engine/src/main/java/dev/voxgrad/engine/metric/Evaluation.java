package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.tensor.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Scores a set of cases, several at a time; results are in the order of the cases and the same for any number of threads.
 *
 * @param summary of the cases that could be scored
 * @param failed the others
 */
public record Evaluation(Summary summary, List<Failed> failed) {
    /** A case that could not be scored. */
    public record Failed(CaseFiles files, RuntimeException error) {}

    /** Bytes per voxel that a case takes at most: label maps, masks, lesion numbers, and distances with what sorts them. */
    private static final long BYTES_PER_VOXEL = 48;

    /** Share of the heap that cases in work may take together. */
    private static final double HEAP_SHARE = 0.6;

    /** Copies the list. */
    public Evaluation {
        failed = List.copyOf(failed);
    }

    /**
     * Scores all cases; one that fails does not stop the others.
     *
     * @param threads at most this many threads, 0 = all processors
     * @param done called after each case, from several threads
     * @throws ConfigException when calibration is asked for without probabilities
     */
    public static Evaluation run(List<CaseFiles> cases, EvaluationSettings settings, int threads, Runnable done) {
        if (settings.needsProbabilities()
                && cases.stream().anyMatch(c -> c.probabilities().isEmpty())) {
            throw new ConfigException("calibration needs the probabilities of the predictions; give their folder");
        }
        int available = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        int workers = Math.max(1, Math.min(available, cases.size()));
        Queue queue = new Queue(cases, new CaseEvaluator(settings), done);
        try (ExecutorService pool = Executors.newFixedThreadPool(workers)) {
            List<Future<?>> running = new ArrayList<>();
            for (int w = 0; w < workers; w++) {
                running.add(pool.submit(() -> queue.work(Math.max(1, available / workers))));
            }
            for (Future<?> worker : running) {
                finish(worker);
            }
        }
        return queue.result(settings);
    }

    /** The summary if every case could be scored, else the error of the first that could not. */
    public Summary orThrow() {
        if (!failed.isEmpty()) {
            throw failed.getFirst().error();
        }
        return summary;
    }

    private static void finish(Future<?> worker) {
        try {
            worker.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case Error error -> throw error; // such as a lack of memory: not the fault of a case
                case RuntimeException error -> throw error;
                default -> throw new IllegalStateException(e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while cases were scored", e);
        }
    }

    /** Cases to do and done. */
    private static final class Queue {
        private final List<CaseFiles> cases;
        private final CaseEvaluator evaluator;
        private final Runnable done;
        private final CaseScore[] scores;
        private final RuntimeException[] errors;
        private final AtomicInteger next = new AtomicInteger();
        private final int budgetMib;
        private final Semaphore memory;

        Queue(List<CaseFiles> cases, CaseEvaluator evaluator, Runnable done) {
            this.cases = cases;
            this.evaluator = evaluator;
            this.done = done;
            this.scores = new CaseScore[cases.size()];
            this.errors = new RuntimeException[cases.size()];
            this.budgetMib = (int) Math.max(1, Runtime.getRuntime().maxMemory() * HEAP_SHARE / (1 << 20));
            this.memory = new Semaphore(budgetMib, true);
        }

        void work(int threads) {
            try (Device device = Device.cpu(threads)) {
                for (int i = next.getAndIncrement(); i < cases.size(); i = next.getAndIncrement()) {
                    try {
                        scores[i] = score(cases.get(i), device);
                    } catch (RuntimeException e) {
                        errors[i] = e;
                    }
                    done.run();
                }
            }
        }

        /** Waits until the case fits beside those in work; one that never fits gets the machine for itself. */
        private CaseScore score(CaseFiles files, Device device) {
            var header = NiftiReader.readHeader(files.reference());
            long voxels = 1;
            for (int axis = 1; axis <= Math.min(3, header.dim(0)); axis++) {
                voxels *= Math.max(1, header.dim(axis));
            }
            long bytes = voxels * (BYTES_PER_VOXEL + evaluator.probabilityBytes(files));
            int mib = (int) Math.clamp(bytes >> 20, 1, budgetMib);
            memory.acquireUninterruptibly(mib);
            try {
                return evaluator.evaluate(files, device);
            } finally {
                memory.release(mib);
            }
        }

        Evaluation result(EvaluationSettings settings) {
            List<CaseScore> good = new ArrayList<>();
            List<Failed> bad = new ArrayList<>();
            for (int i = 0; i < scores.length; i++) {
                if (errors[i] == null) {
                    good.add(scores[i]);
                } else {
                    bad.add(new Failed(cases.get(i), errors[i]));
                }
            }
            return new Evaluation(new Summary(settings.regions(), settings.columns(), good), bad);
        }
    }
}
