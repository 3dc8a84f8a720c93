/* voxgrad: the contract between the native kernels and every caller.
 *
 * Conventions, valid for all functions below
 *  - Every call returns a vg_status (VG_OK = 0) except vg_abi_version, vg_version and vg_last_error. Results leave
 *    through pointers. After a failure vg_last_error(context) holds one line that says what, where and how to fix.
 *  - A context is used by one thread at a time; different contexts are independent. On a GPU calls only enqueue:
 *    vg_context_synchronize waits, and a device fault surfaces at the next call or there.
 *  - Tensors are float32 in NDHWC order (channels innermost). Beside C every tensor has a voxel stride, in elements,
 *    at least C: a channel slice of a wider buffer is a tensor (pointer to its first channel, stride of the buffer).
 *    Voxels follow one another without gaps; 2D data have D = 1. A problem struct gives sizes and strides.
 *  - The first field of every struct is its own size in bytes, so that fields can be appended.
 *  - Weights are the PyTorch tensors with the second axis moved last: convolution (Co,Ci,kd,kh,kw) becomes
 *    [Co][kd][kh][kw][Ci], transposed convolution (Ci,Co,kd,kh,kw) becomes [Ci][kd][kh][kw][Co]; both are dense.
 *  - Outputs are overwritten completely (gaps of a strided tensor are never touched) and may hold anything before, NaN
 *    included. Inputs and outputs must not overlap unless a function says so.
 *  - Same inputs on the same device give the same bits, whatever the number of threads.
 *  - All pointers of tensors are memory of the context's device (vg_allocate); on the CPU any memory will do.
 */
#ifndef VOXGRAD_H
#define VOXGRAD_H

#include <stdint.h>

#if defined(__GNUC__)
#define VG_API __attribute__((visibility("default")))
#else
#define VG_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised by every incompatible change; the loader refuses another number. */
enum { VG_ABI_VERSION = 3 };

typedef enum vg_status {
  VG_OK = 0,
  VG_INVALID_ARGUMENT = 1, /* the caller's sizes, pointers or options break the contract */
  VG_OUT_OF_MEMORY = 2,    /* the device or the context's memory limit is exhausted */
  VG_DEVICE_FAILURE = 3,   /* the device reported an error */
  VG_UNAVAILABLE = 4,      /* this machine or this build has no such device */
  VG_UNSUPPORTED = 5,      /* legal, but not implemented on this device */
  VG_INTERNAL = 6          /* a defect of this library */
} vg_status;

typedef enum vg_device_kind { VG_DEVICE_CPU = 0, VG_DEVICE_CUDA = 1 } vg_device_kind;

/* ---- library, devices, contexts ------------------------------------------------------------------------------- */

typedef struct vg_context vg_context; /* device + stream + memory pool + error text */

typedef struct vg_context_options {
  int64_t size;
  int32_t device_kind;        /* vg_device_kind */
  int32_t device_index;       /* 0-based; 0 for the CPU */
  int32_t threads;            /* CPU threads; 0 = all processors this process may use. Never changes results. */
  int32_t measure;            /* CPU: 1 = kernels check and ask for memory, but read, write and compute nothing */
  int64_t memory_limit_bytes; /* for everything the pool holds; 0 = no limit */
} vg_context_options;

typedef struct vg_context_info {
  int64_t size;
  int32_t device_kind;
  int32_t device_index;
  int32_t threads;
  int32_t compute_capability; /* CUDA: 10*major + minor, else 0 */
  int64_t memory_total_bytes; /* of the device */
  int64_t memory_free_bytes;
  int64_t pool_live_bytes; /* handed out by vg_allocate and not yet freed */
  int64_t pool_live_blocks;
  int64_t pool_reserved_bytes; /* taken from the system, live or kept for reuse */
  int64_t pool_peak_bytes;     /* largest pool_live_bytes so far */
  int64_t arena_bytes;         /* part of pool_reserved_bytes that is planned for steps */
  int64_t system_allocations;  /* how often the pool asked the system for memory */
  const char *device_name;     /* these strings live as long as the context */
  const char *isa;             /* CPU tier in use, e.g. "avx2"; CUDA: "sm_90" */
  const char *driver;          /* CUDA driver and runtime version, empty on the CPU */
} vg_context_info;

VG_API int32_t vg_abi_version(void);
/* Version and build features in words, e.g. "0.1.0 cpu+cuda"; static memory. */
VG_API const char *vg_version(void);
/* Number of usable devices of a kind. With 0 devices `reason` (may be NULL) says why, e.g. "built without CUDA". */
VG_API int32_t vg_device_count(int32_t device_kind, int32_t *count, char *reason, int64_t reason_bytes);

/* Creates a context. On failure *context is NULL and `error` (may be NULL) receives the text, always terminated.
 * The CPU tier is the best one that processor and operating system have, capped by the environment variable
 * VOXGRAD_MAX_ISA (portable | avx2 | avx512; on 64-bit Arm neon); an unknown value is VG_INVALID_ARGUMENT. */
VG_API int32_t vg_context_create(const vg_context_options *options, vg_context **context, char *error,
                                 int64_t error_bytes);
/* Frees the context and all memory of its pool. NULL is accepted. */
VG_API int32_t vg_context_destroy(vg_context *context);
VG_API int32_t vg_context_synchronize(vg_context *context);
VG_API int32_t vg_context_describe(vg_context *context, vg_context_info *info);
/* The ceilings of a roofline, measured in about a second: multiply-adds in registers (2 operations each), and a copy
 * that no cache holds (bytes read + written), both on all threads. */
VG_API int32_t vg_measure_peak(vg_context *context, double *flops_per_second, double *bytes_per_second);
/* Text of the last failure of this context, "" if none; valid until the next call with it. */
VG_API const char *vg_last_error(vg_context *context);

/* ---- memory --------------------------------------------------------------------------------------------------- */

/* Uninitialised memory aligned to 256 bytes; bytes = 0 is legal and gives a unique pointer. */
VG_API int32_t vg_allocate(vg_context *context, int64_t bytes, void **memory);
/* Returns a block to the pool. NULL is accepted; a pointer not live in this context is VG_INVALID_ARGUMENT. */
VG_API int32_t vg_free(vg_context *context, void *memory);
/* Gives memory kept for reuse back to the system. */
VG_API int32_t vg_pool_trim(vg_context *context);
/* Around work that is done again and again with the same requests for memory, workspaces included, such as a training
 * step. The first step of a kind is recorded; later ones take their memory from one block, the arena, planned so that
 * requests which are never live together share addresses, and ask the system for nothing. A step that deviates takes
 * ordinary blocks where it does and is planned for anew. Memory may outlive the step. Results never change. Steps do
 * not nest. */
VG_API int32_t vg_step_begin(vg_context *context, int64_t kind);
VG_API int32_t vg_step_end(vg_context *context);
VG_API int32_t vg_copy_from_host(vg_context *context, void *destination, const void *source, int64_t bytes);
VG_API int32_t vg_copy_to_host(vg_context *context, void *destination, const void *source, int64_t bytes);

/* ---- voxel-wise operations ------------------------------------------------------------------------------------ */

/* n samples of `voxels` voxels with c channels; x_stride and y_stride are voxel strides. */
typedef struct vg_map {
  int64_t size;
  int64_t n, voxels, c;
  int64_t x_stride, y_stride;
} vg_map;

/* y = value. x_stride is ignored. */
VG_API int32_t vg_fill(vg_context *context, const vg_map *problem, float value, float *y);
/* y = alpha * x; with alpha = 1 a bit-exact copy. x and y may be the same tensor. */
VG_API int32_t vg_scale(vg_context *context, const vg_map *problem, float alpha, const float *x, float *y);
/* y = y + alpha * x. */
VG_API int32_t vg_add(vg_context *context, const vg_map *problem, float alpha, const float *x, float *y);

typedef enum vg_activation_kind {
  VG_ACTIVATION_IDENTITY = 0,
  VG_ACTIVATION_LEAKY_RELU = 1, /* x > 0 ? x : slope*x; derivative at 0 is slope. slope = 0: ReLU */
  VG_ACTIVATION_MISH = 2,       /* x tanh(softplus(x)) */
  VG_ACTIVATION_SIGMOID = 3,
  VG_ACTIVATION_SOFTPLUS = 4 /* log(1 + exp(beta x))/beta; x itself where beta x > threshold */
} vg_activation_kind;

typedef struct vg_activation {
  int64_t size;
  int64_t n, voxels, c;
  int64_t x_stride, y_stride; /* dy has y's stride, dx has x's */
  int32_t kind;               /* vg_activation_kind */
  float slope;
  float beta, threshold;
} vg_activation;

VG_API int32_t vg_activation_forward(vg_context *context, const vg_activation *problem, const float *x, float *y);
/* dx = dy * derivative at x. dx may be dy when the strides agree. */
VG_API int32_t vg_activation_backward(vg_context *context, const vg_activation *problem, const float *x,
                                      const float *dy, float *dx);

/* Softmax over the channels of each voxel, or its logarithm. backward takes the forward result y. */
VG_API int32_t vg_softmax_forward(vg_context *context, const vg_map *problem, const float *x, float *y);
VG_API int32_t vg_softmax_backward(vg_context *context, const vg_map *problem, const float *y, const float *dy,
                                   float *dx);
VG_API int32_t vg_log_softmax_forward(vg_context *context, const vg_map *problem, const float *x, float *y);
VG_API int32_t vg_log_softmax_backward(vg_context *context, const vg_map *problem, const float *y, const float *dy,
                                       float *dx);
/* Index of the largest channel of each voxel, the lowest one on ties; c <= 256. A NaN in a voxel is
 * VG_INVALID_ARGUMENT naming the first such voxel. y_stride is ignored, labels are dense [n][voxels]. */
VG_API int32_t vg_argmax(vg_context *context, const vg_map *problem, const float *x, uint8_t *labels);

/* Inverted dropout: y = keep ? x/(1-p) : 0. The draw of an element depends only on (seed, stream, its index in the
 * dense NDHWC order); per_channel draws once per sample and channel. keep (may be NULL) replaces the draw: bytes
 * 0/1, dense [n][voxels][c], or [n][c] with per_channel. The gradient is the same call with x = dy. */
typedef struct vg_dropout {
  int64_t size;
  int64_t n, voxels, c;
  int64_t x_stride, y_stride;
  int64_t seed, stream;
  float p; /* 0 <= p < 1 */
  int32_t per_channel;
} vg_dropout;

VG_API int32_t vg_dropout_apply(vg_context *context, const vg_dropout *problem, const float *x, const uint8_t *keep,
                                float *y);

/* ---- convolutions --------------------------------------------------------------------------------------------- */

typedef enum vg_precision {
  VG_PRECISION_DEFAULT = 0, /* as exact as a direct sum */
  VG_PRECISION_FAST = 1     /* larger Winograd tiles where they are faster: relative error up to 2e-5 */
} vg_precision;

/* Cross-correlation with zero padding p: output size (in + 2p - k)/s + 1, rounded down, per axis. */
typedef struct vg_conv3d {
  int64_t size;
  int64_t n, d, h, w; /* input */
  int64_t ci, co;
  int64_t kd, kh, kw, sd, sh, sw, pd, ph, pw;
  int64_t x_stride, y_stride; /* dx has x's stride, dy has y's */
  int32_t precision;          /* vg_precision */
  int32_t reserved;           /* 0 */
} vg_conv3d;

/* A feature map may be stored before its instance norm and activation: with a norm table, float [n][VG_NORM_ROWS][c],
 * its value is a > 0 ? a : slope a, where a = scale x + shift. Convolutions apply the table of their input as they read
 * it and make the one of their output as they write it, so that normalised activations are never stored. */
typedef enum vg_norm_row {
  VG_NORM_SCALE = 0, /* gamma rstd */
  VG_NORM_SHIFT = 1, /* beta - mean gamma rstd */
  VG_NORM_SLOPE = 2, /* 0: ReLU, 1: no activation */
  VG_NORM_MEAN = 3,
  VG_NORM_RSTD = 4,
  VG_NORM_ROWS = 5
} vg_norm_row;

/* What a convolution fuses; unused pointers are NULL. */
typedef struct vg_conv_fusion {
  int64_t size;
  const float *x_norm;       /* table of the input. Zero padding is zero behind the activation */
  const float *x;            /* backward_input with x_norm: the input as it is stored ... */
  int64_t x_stride;          /* ... with this voxel stride */
  float *sums;               /* backward_input with x_norm: [n][2][ci], sums of g and of g (x - mean), g = dL/da */
  float *y_norm;             /* forward, not transposed: table of the output, made from its own mean and variance ... */
  const float *gamma, *beta; /* ... [co] or both NULL (= 1, 0) ... */
  float eps, slope;          /* ... and these, as vg_instance_norm */
} vg_conv_fusion;

/* y = x * w + b; b may be NULL. fusion may be NULL in all six functions. Kernels of 3 at stride 1 may run as Winograd
 * (relative error below 1e-6, as a direct sum): an infinite value there makes NaN of the outputs it reaches. */
VG_API int32_t vg_conv3d_forward(vg_context *context, const vg_conv3d *problem, const vg_conv_fusion *fusion,
                                 const float *x, const float *w, const float *b, float *y);
/* With fusion->x_norm dx is g = dL/da, which vg_norm_backward_input takes to the stored input. */
VG_API int32_t vg_conv3d_backward_input(vg_context *context, const vg_conv3d *problem, const vg_conv_fusion *fusion,
                                        const float *dy, const float *w, float *dx);
/* dw and db (may be NULL) are overwritten. */
VG_API int32_t vg_conv3d_backward_weight(vg_context *context, const vg_conv3d *problem, const vg_conv_fusion *fusion,
                                         const float *x, const float *dy, float *dw, float *db);

/* Transposed convolution with kernel = stride (kd,kh,kw) and no padding: output size = input size * kernel,
 * y[s*v + r, o] = b[o] + sum_i x[v,i] w[i][r][o]. d,h,w are the input sizes; sd.. and pd.. of the problem are
 * ignored. */
VG_API int32_t vg_conv_transpose3d_forward(vg_context *context, const vg_conv3d *problem, const vg_conv_fusion *fusion,
                                           const float *x, const float *w, const float *b, float *y);
VG_API int32_t vg_conv_transpose3d_backward_input(vg_context *context, const vg_conv3d *problem,
                                                  const vg_conv_fusion *fusion, const float *dy, const float *w,
                                                  float *dx);
VG_API int32_t vg_conv_transpose3d_backward_weight(vg_context *context, const vg_conv3d *problem,
                                                   const vg_conv_fusion *fusion, const float *x, const float *dy,
                                                   float *dw, float *db);

/* For readers that are no convolution. y = the value of x. */
VG_API int32_t vg_norm_apply(vg_context *context, const vg_map *problem, const float *x, const float *norm, float *y);
/* g = dL/da from dy, the gradient of the value, and its sums as in vg_conv_fusion. dy and g have y_stride; g may be dy.
 */
VG_API int32_t vg_norm_backward(vg_context *context, const vg_map *problem, const float *x, const float *norm,
                                const float *dy, float *g, float *sums);
/* Gradient of the stored x through a and the statistics, from g and sums over all readers. g and dx have y_stride; dx
 * may be g. dgamma, dbeta: [c], both or neither NULL. */
VG_API int32_t vg_norm_backward_input(vg_context *context, const vg_map *problem, const float *x, const float *norm,
                                      const float *g, const float *sums, float *dx, float *dgamma, float *dbeta);

/* ---- instance norm -------------------------------------------------------------------------------------------- */

/* y = act((x - mean) * rstd * gamma + beta), rstd = 1/sqrt(var + eps), mean and biased variance per sample and
 * channel over the voxels (at least 2). The activation is fused; IDENTITY gives the plain norm. */
typedef struct vg_instance_norm {
  int64_t size;
  int64_t n, voxels, c;
  int64_t x_stride, y_stride; /* dx has x's stride, dy has y's */
  float eps;
  int32_t activation; /* VG_ACTIVATION_IDENTITY, _LEAKY_RELU or _MISH */
  float slope;
  int32_t reserved;
} vg_instance_norm;

/* gamma, beta: [c], both or neither NULL (= 1, 0). mean, rstd: [n][c], results that backward needs. */
VG_API int32_t vg_instance_norm_forward(vg_context *context, const vg_instance_norm *problem, const float *x,
                                        const float *gamma, const float *beta, float *mean, float *rstd, float *y);
/* dgamma, dbeta: [c], summed over the samples; NULL when gamma is. dx may be dy when the strides agree. */
VG_API int32_t vg_instance_norm_backward(vg_context *context, const vg_instance_norm *problem, const float *x,
                                         const float *gamma, const float *beta, const float *mean, const float *rstd,
                                         const float *dy, float *dx, float *dgamma, float *dbeta);

/* ---- pooling, interpolation, padding -------------------------------------------------------------------------- */

typedef enum vg_pool_kind { VG_POOL_MAX = 0, VG_POOL_AVERAGE = 1 } vg_pool_kind;

/* Kernel = stride, no padding, trailing voxels dropped: output size in/k. The gradient of a maximum goes to the first
 * largest voxel of the window in row-major order. */
typedef struct vg_pool {
  int64_t size;
  int64_t n, d, h, w, c; /* input */
  int64_t kd, kh, kw;
  int64_t x_stride, y_stride;
  int32_t kind; /* vg_pool_kind */
  int32_t reserved;
} vg_pool;

VG_API int32_t vg_pool_forward(vg_context *context, const vg_pool *problem, const float *x, float *y);
/* x is needed by the maximum only and may be NULL for the average. */
VG_API int32_t vg_pool_backward(vg_context *context, const vg_pool *problem, const float *x, const float *dy,
                                float *dx);

typedef enum vg_interpolation {
  VG_INTERPOLATE_NEAREST = 0,        /* source floor(i * in/out) */
  VG_INTERPOLATE_NEAREST_CENTRE = 1, /* source floor((i + 0.5) * in/out), PyTorch's nearest-exact */
  VG_INTERPOLATE_LINEAR = 2,         /* half-voxel centres, clamped below at 0 and at the last voxel */
  VG_INTERPOLATE_LINEAR_CORNERS = 3  /* align_corners: source i * (in-1)/(out-1) */
} vg_interpolation;

/* From d,h,w to od,oh,ow. */
typedef struct vg_interpolate {
  int64_t size;
  int64_t n, d, h, w, c;
  int64_t od, oh, ow;
  int64_t x_stride, y_stride;
  int32_t mode; /* vg_interpolation */
  int32_t reserved;
} vg_interpolate;

VG_API int32_t vg_interpolate_forward(vg_context *context, const vg_interpolate *problem, const float *x, float *y);
VG_API int32_t vg_interpolate_backward(vg_context *context, const vg_interpolate *problem, const float *dy, float *dx);
/* The same for byte labels [n][d][h][w][c], dense; mode NEAREST or NEAREST_CENTRE. */
VG_API int32_t vg_interpolate_labels(vg_context *context, const vg_interpolate *problem, const uint8_t *x, uint8_t *y);

/* Adds planes after the last index of each axis: copies of the edge (replicate) or zeros. */
typedef struct vg_pad {
  int64_t size;
  int64_t n, d, h, w, c; /* input */
  int64_t after_d, after_h, after_w;
  int64_t x_stride, y_stride;
  int32_t replicate; /* 1 = copies of the edge voxel, 0 = zeros */
  int32_t reserved;
} vg_pad;

VG_API int32_t vg_pad_forward(vg_context *context, const vg_pad *problem, const float *x, float *y);
VG_API int32_t vg_pad_backward(vg_context *context, const vg_pad *problem, const float *dy, float *dx);

/* ---- segmentation losses: two passes that carry every loss ------------------------------------------------------ */

/* Pass 1 reads logits and labels once and returns sums; a loss is a function of these sums with partial derivatives;
 * pass 2 turns the derivatives into the gradient of the logits.
 *
 * Labels are bytes. softmax: [n][voxels], y_c = 1 where label = c. sigmoid: targets 0/1, c of each voxel; with
 * region_labels > 0 classes [n][voxels] instead, and y_c is their entry in regions: bytes 0/1 [region_labels][c].
 * A voxel counts when mask (bytes [n][voxels], NULL = all) is not 0 and its class is not ignore_label (-1 = none).
 * Voxels that do not count contribute nothing and get gradient exactly 0, whatever their logits hold.
 * segment: int32 [n][voxels], values 0..segments-1, NULL = all in segment 0. sigmoid: of the channels with y_c = 1; in
 * the others the voxel is in segment 0.
 * nll_c = -log p_c; softmax: logsumexp(z) - z_c; sigmoid: softplus(-z_c), and nll of the complement softplus(z_c). */
typedef struct vg_segloss {
  int64_t size;
  int64_t n, voxels, c; /* c <= 256; softmax needs c >= 2 */
  int64_t x_stride, dx_stride;
  int64_t target_stride; /* bytes between the targets of voxels, at least c; ignored for classes */
  int64_t segments;      /* >= 1 */
  int32_t sigmoid;       /* 0 = softmax, 1 = sigmoid */
  int32_t ignore_label;
  int32_t region_labels; /* sigmoid: classes that labels may hold, at most 256; 0: labels are targets */
  int32_t kinds;         /* forward: sums that are wanted, bits 1 << vg_segloss_sum, 0 = all; the others are 0 */
  int32_t accumulate;    /* backward: 1 = the gradient is added to dlogits */
  int32_t reserved;
} vg_segloss;

/* Indices of the last axis of `sums` and of `partials`. */
typedef enum vg_segloss_sum {
  VG_SUM_INTERSECTION = 0, /* p y */
  VG_SUM_PROBABILITY = 1,  /* p */
  VG_SUM_SQUARE = 2,       /* p^2 */
  VG_SUM_NLL_TRUE = 3,     /* nll_c where y_c = 1 */
  VG_SUM_NLL_OTHER = 4,    /* softmax: nll_c of every voxel that counts; sigmoid: softplus(z_c) where y_c = 0 */
  VG_SUM_COUNT = 5,        /* y: voxels of class c. No partial derivative: ignored in `partials` */
  VG_SUM_VOXELS = 6,       /* voxels that count (the same for all c). Ignored in `partials` */
  VG_SUM_KINDS = 7
} vg_segloss_sum;

/* sums: double [n][segments][c][VG_SUM_KINDS], accumulated in float64 in a fixed order; host memory, also on a GPU.
 * voxel_nll (may be NULL): float [n][voxels], softmax only:
 *   true_weight[label] * nll_label + sum_c other_weight[c] * nll_c, 0 where the voxel does not count;
 *   true_weight, other_weight: float [c], NULL = 1 and 0.
 * bad_labels: int64[2] on the host: number of voxels whose label is neither a class nor ignore_label (targets: not
 *   0/1) and the first such value. They count as masked; the caller decides (normally it fails the step). */
VG_API int32_t vg_segloss_forward(vg_context *context, const vg_segloss *problem, const float *logits,
                                  const uint8_t *labels, const uint8_t *regions, const uint8_t *mask,
                                  const int32_t *segment, const float *true_weight, const float *other_weight,
                                  double *sums, float *voxel_nll, int64_t *bad_labels);
/* partials: double [n][segments][c][VG_SUM_KINDS] (host), derivatives of the loss by the sums.
 * dvoxel_nll: float [n][voxels], derivatives of the loss by voxel_nll with the same true_weight and other_weight; NULL
 *   = 0 (and the weights are not looked at). Values at voxels that do not count are not looked at.
 * dlogits = upstream * dL/dlogits. */
VG_API int32_t vg_segloss_backward(vg_context *context, const vg_segloss *problem, const float *logits,
                                   const uint8_t *labels, const uint8_t *regions, const uint8_t *mask,
                                   const int32_t *segment, const float *true_weight, const float *other_weight,
                                   const double *partials, const float *dvoxel_nll, float upstream, float *dlogits);

typedef enum vg_ties {
  VG_TIES_FIRST = 0, /* of equal values at the cut the ones with the smallest index are selected */
  VG_TIES_SHARED = 1 /* all equal values at the cut share the open places evenly */
} vg_ties;

/* The largest values of each row, exactly and without sorting (radix selection on the float bits). NaN ranks above
 * +infinity, -0 below +0. */
typedef struct vg_topk {
  int64_t size;
  int64_t rows, count; /* values: float [rows][count] */
  int32_t ties;        /* vg_ties */
  int32_t reserved;
} vg_topk;

/* select: int64 [rows] (host), number of values to select in each row, 0..count. factor: float [rows] (host).
 * sums: double [rows] (host), sum of the selected values, in a fixed order.
 * selected: float [rows][count], factor of the row where a value is selected, 0 elsewhere; shared ties get their part
 *   of factor. May be `values`; NULL = not wanted. */
VG_API int32_t vg_topk_select(vg_context *context, const vg_topk *problem, const float *values, const int64_t *select,
                              const float *factor, double *sums, float *selected);

/* ---- components and distances ----------------------------------------------------------------------------------- */

/* Connected components of a set of voxels of byte maps [n][d][h][w]; every sample by itself. */
typedef struct vg_components {
  int64_t size;
  int64_t n, d, h, w;
  int64_t x_stride;     /* bytes from voxel to voxel */
  int32_t connectivity; /* 6 faces, 18 faces and edges, 26 all neighbours; where d = 1 that is 4, 8, 8 */
  int32_t keep;         /* 1: ids outside the set stay as they are; 0: they become 0 */
} vg_components;

/* foreground: bytes [256] (host), the set is where foreground[x] is not 0; NULL = where x is not 0.
 * mask (bytes [n][d][h][w], NULL = all): voxels where it is 0 are not in the set.
 * ids: int32 [n][d][h][w], in the set 1, 2, ... in row-major order of the first voxel of a component.
 * counts: int64 [n] (host), number of components. */
VG_API int32_t vg_components_label(vg_context *context, const vg_components *problem, const uint8_t *x,
                                   const uint8_t *foreground, const uint8_t *mask, int32_t *ids, int64_t *counts);

/* Exact Euclidean distance to the nearest voxel of a set, between voxel centres, in the unit of the spacing. */
typedef struct vg_distance {
  int64_t size;
  int64_t d, h, w;
  double spacing_d, spacing_h, spacing_w; /* > 0 */
} vg_distance;

/* x: bytes [d][h][w], the set is where x is not 0. distance: double [d][h][w], 0 in the set, +infinity everywhere when
 * the set is empty. */
VG_API int32_t vg_distance_transform(vg_context *context, const vg_distance *problem, const uint8_t *x,
                                     double *distance);

/* ---- optimizers: one pass over a table of parameters ----------------------------------------------------------- */

/* count tensors with lengths[i] elements; x, g and the states are host arrays of count device pointers. g is read
 * only; every gradient is multiplied by gradient_scale first (clipping, loss scale). Formulas: PyTorch's SGD and
 * AdamW. */
typedef struct vg_sgd {
  int64_t size;
  float lr, momentum, dampening, weight_decay, gradient_scale;
  int32_t nesterov;
  int32_t first_step; /* 1: the momentum buffer is set to the gradient */
  int32_t reserved;
} vg_sgd;

VG_API int32_t vg_sgd_step(vg_context *context, const vg_sgd *problem, int64_t count, const int64_t *lengths,
                           float *const *x, const float *const *g, float *const *momentum);

typedef struct vg_adamw {
  int64_t size;
  int64_t step; /* from 1 */
  double lr, beta1, beta2, eps, weight_decay;
  float gradient_scale;
  int32_t amsgrad;
  int32_t decoupled; /* 1: AdamW; 0: Adam (decay added to the gradient) */
  int32_t reserved;
} vg_adamw;

/* m, s: first and second moments, zero before the first step; s_max only with amsgrad, else NULL. */
VG_API int32_t vg_adamw_step(vg_context *context, const vg_adamw *problem, int64_t count, const int64_t *lengths,
                             float *const *x, const float *const *g, float *const *m, float *const *s,
                             float *const *s_max);

/* *norm = sqrt of the sum of squares of all tensors, in float64, fixed order; not finite if any element is not. */
VG_API int32_t vg_global_norm(vg_context *context, int64_t count, const int64_t *lengths, const float *const *g,
                              double *norm);
/* shadow = decay * shadow + (1 - decay) * x. */
VG_API int32_t vg_ema_update(vg_context *context, double decay, int64_t count, const int64_t *lengths,
                             const float *const *x, float *const *shadow);

/* Ranger21 (Wright and Demeure 2021). One step t; u(a) is the L2 norm of a group of adjacent elements:
 *   clip       lim = max(u(x), clip_eps) * clip;  g = g * min(1, lim / max(u(g), 1e-6))
 *   centre     g = g - mean of its row;  normalize: g = g / (std(g) + 1e-8) in tensors of more than two elements
 *   spread     s = beta2 s + (1-beta2) g^2;  spread^2 = mean over all tensors of s / (1 - beta2^t)
 *   shrink     x = x (1 - lr weight_decay / spread);  x = x (1 - 2 lr norm_loss (1 - 1/(u(x) + eps)))
 *   momentum   p = beta1^2 p + (1-beta1^2) g;  p is `odd` in odd steps, else `even`; q is the other one
 *   move       x = x - lr/(1-beta1^t) * (2p - q)/sqrt((1+beta2)^2 + beta2^2) / softplus(sqrt(s/(1-beta2^t)) + eps)
 *   merge      x = alpha x + (1-alpha) cache;  cache = x
 * p takes g normalized twice, as in the public code: times 1/(std/(std + 1e-8) + 1e-8), but here at most 2, so that
 * rounding noise in a gradient that is zero in theory does not become a gradient of size one. */
typedef struct vg_ranger21 {
  int64_t size;
  int64_t step; /* from 1 */
  double lr;    /* of this step */
  double beta1, beta2, eps;
  double clip, clip_eps, weight_decay, norm_loss; /* clip, weight_decay, norm_loss 0: off */
  double softplus;                                /* its beta, 0: off; its threshold is 20 */
  double alpha;
  float gradient_scale;
  int32_t normalize;         /* 0: off */
  int32_t positive_negative; /* 0: odd = beta1 odd + (1-beta1) g in every step, and x moves by it */
  int32_t shrink_last_only;  /* 1: the last tensor of the table only */
  int32_t merge;             /* 1 in steps that look ahead */
  int32_t reserved;
} vg_ranger21;

/* groups[i]: elements that share a norm; rows[i]: elements that are centred together, a multiple of groups[i], or 0 =
 * not centred; both divide lengths[i]. With the second of PyTorch's axes stored last: one axis: group = all, row = 0;
 * two or three: group = second axis, row = all but the first; more: group = row = all but the first. odd, even, s are
 * zero before step 1, cache is a copy of x; even may be NULL without positive_negative, cache without merge. s_sums:
 * host array with the sum of each s, updated; NaN = not known: it is added up first and gives the same bits. */
VG_API int32_t vg_ranger21_step(vg_context *context, const vg_ranger21 *problem, int64_t count, const int64_t *lengths,
                                const int64_t *groups, const int64_t *rows, float *const *x, const float *const *g,
                                float *const *odd, float *const *even, float *const *s, float *const *cache,
                                double *s_sums);

/* ---- sliding window and resampling ------------------------------------------------------------------------------ */

/* A tile of td x th x tw voxels whose first voxel lies at (oz,oy,ox) of the volume, possibly outside. flip_z.. say
 * that the tile is stored mirrored along that axis. Tile and volume are dense [.][.][.][c]. */
typedef struct vg_window {
  int64_t size;
  int64_t d, h, w, c; /* volume */
  int64_t td, th, tw; /* tile */
  int64_t oz, oy, ox;
  int32_t flip_z, flip_y, flip_x;
  int32_t reserved;
} vg_window;

/* tile = volume at the window, zero outside the volume. */
VG_API int32_t vg_window_gather(vg_context *context, const vg_window *problem, const float *volume, float *tile);
/* volume += weights * factor * tile and weight_sum += weights * factor for the voxels inside the volume. weights:
 * [td][th][tw], indexed by the position in the volume, never mirrored. weight_sum: [d][h][w] or NULL. */
VG_API int32_t vg_window_accumulate(vg_context *context, const vg_window *problem, const float *tile,
                                    const float *weights, float factor, float *volume, float *weight_sum);
/* volume = volume / weight_sum per voxel, in place; problem: n, voxels, c, x_stride. */
VG_API int32_t vg_window_normalize(vg_context *context, const vg_map *problem, const float *weight_sum, float *volume);

/* Resizes one dense volume [d][h][w] to [od][oh][ow] as scikit-image's resize does (mode edge, no anti-aliasing, clip):
 * half-voxel centres; order 0 nearest, 1 linear, 3 cubic B-spline; result clipped to the input's range. Computed in
 * float64. An axis of unchanged length is not touched. */
typedef struct vg_resample {
  int64_t size;
  int64_t d, h, w;
  int64_t od, oh, ow;
  int32_t order; /* 0, 1 or 3 */
  int32_t reserved;
} vg_resample;

VG_API int32_t vg_resample_volume(vg_context *context, const vg_resample *problem, const float *x, float *y);

#ifdef __cplusplus
}
#endif
#endif
