// 3 x 3 convolution with zero padding over the patch grid of token tensors, as matrix products (cuBLAS, F32) of
// gathered neighbourhoods: forward y = bias + N(x) weight, backward dWeight = N(x)^T dy, dx = N^T(dy weight^T). These
// kernels are what stands around the products.
//
// Shapes   rows = samples * tokens; the first `prefix` tokens of a sample are not patches, the others are a row-major
//          grid of height x breadth. x, dx [rows, width]; y, dy, clean [rows, out]; neighbourhoods [rows, 9 * width],
//          columns ordered (ky, kx, channel). All F32, at any address; all outputs are written.
// Prefix   rows of x and dy are not read; they are 0 in neighbourhoods, y, clean and dx.
// Access   16 bytes a lane where width % 4 == 0 and the tensors lie on 16 bytes, else 4.
// Shared   1 KiB in conv3x3_clean, none elsewhere.
// Deterministic: every output has one thread, sums run in the order of taps or rows.
#include "device.cuh"

namespace {

constexpr int TAPS = 9;
constexpr int GATHER_ROWS = 4;  // rows of a block of conv3x3_gather

// Where a row of a token tensor lies.
struct Patch {
  bool inside;  // a patch, not a prefix token
  int y, x;

  DEVICE Patch(int row, int tokens, int prefix, int breadth) {
    int patch = row % tokens - prefix;
    inside = patch >= 0;
    y = patch / breadth;
    x = patch - y * breadth;
  }
  // Whether the patch dy rows down and dx columns to the right is on the grid.
  DEVICE bool has(int dy, int dx, int height, int breadth) const {
    return inside && y + dy >= 0 && y + dy < height && x + dx >= 0 && x + dx < breadth;
  }
};

DEVICE float4 zero4() { return make_float4(0.f, 0.f, 0.f, 0.f); }

}  // namespace

// neighbourhoods of `rows` rows of x. Block: one warp per tap, GATHER_ROWS rows; grid x over rows.
KERNEL(conv3x3_gather, 32 * TAPS,
       (const float* x, float* neighbourhoods, int rows, int tokens, int prefix, int height, int breadth,
        int width)) {
  int tap = warp_index(), dy = tap / 3 - 1, dx = tap % 3 - 1;
  bool quads = width % 4 == 0 && aligned16(x);
  for (int i = 0; i < GATHER_ROWS; i++) {
    long long row = (long long)blockIdx.x * GATHER_ROWS + i;
    if (row >= rows) return;
    bool there = Patch((int)row, tokens, prefix, breadth).has(dy, dx, height, breadth);
    const float* from = x + (there ? row + dy * breadth + dx : row) * width;
    float* to = neighbourhoods + (row * TAPS + tap) * width;
    if (quads) {
      for (int c = lane_index(); c < width / 4; c += 32) {
        ((float4*)to)[c] = there ? ((const float4*)from)[c] : zero4();
      }
    } else {
      for (int c = lane_index(); c < width; c += 32) to[c] = there ? from[c] : 0.f;
    }
  }
}

// dx of `rows` rows from gradients of their neighbourhoods: the patch at (dy, dx) of another has it under that tap.
// Block: one warp per row; grid x over rows.
KERNEL(conv3x3_scatter, 256,
       (const float* dneighbourhoods, float* dx, int rows, int tokens, int prefix, int height, int breadth,
        int width)) {
  long long row = (long long)blockIdx.x * (blockDim.x / 32) + warp_index();
  if (row >= rows) return;
  Patch patch((int)row, tokens, prefix, breadth);
  unsigned taps = 0;
#pragma unroll
  for (int tap = 0; tap < TAPS; tap++) {
    if (patch.has(1 - tap / 3, 1 - tap % 3, height, breadth)) taps |= 1u << tap;
  }
  float* to = dx + row * width;
  if (width % 4 == 0 && aligned16(dx)) {
    for (int c = lane_index(); c < width / 4; c += 32) {
      float4 sum = zero4();
#pragma unroll 3
      for (int tap = 0; tap < TAPS; tap++) {
        long long from = row + (1 - tap / 3) * breadth + 1 - tap % 3;
        if (taps >> tap & 1) {
          float4 d = ((const float4*)(dneighbourhoods + (from * TAPS + tap) * width))[c];
          sum = make_float4(sum.x + d.x, sum.y + d.y, sum.z + d.z, sum.w + d.w);
        }
      }
      ((float4*)to)[c] = sum;
    }
  } else {
    for (int c = lane_index(); c < width; c += 32) {
      float sum = 0.f;
      for (int tap = 0; tap < TAPS; tap++) {
        long long from = row + (1 - tap / 3) * breadth + 1 - tap % 3;
        if (taps >> tap & 1) sum += dneighbourhoods[(from * TAPS + tap) * width + c];
      }
      to[c] = sum;
    }
  }
}

// y = bias in rows of patches, 0 in prefix rows: what the product is added to. Block: one warp per row; grid x over
// rows.
KERNEL(conv3x3_start, 256, (const float* bias, float* y, int rows, int tokens, int prefix, int out)) {
  long long row = (long long)blockIdx.x * (blockDim.x / 32) + warp_index();
  if (row >= rows) return;
  bool patch = (int)row % tokens >= prefix;
  for (int c = lane_index(); c < out; c += 32) y[row * out + c] = patch ? bias[c] : 0.f;
}

// clean = dy with 0 in prefix rows, and sums[blockIdx.x, out] = its column sums over the `chunk` rows of a block.
// Block: 8 warps; lane = column of 32, warp = every eighth row. Grid: x over chunks of rows, y over 32 columns.
KERNEL(conv3x3_clean, 256,
       (const float* dy, float* clean, float* sums, int rows, int chunk, int tokens, int prefix, int out)) {
  SHARED(float, partial, 256);
  int column = blockIdx.y * 32 + lane_index();
  long long first = blockIdx.x * (long long)chunk;
  long long end = first + chunk < rows ? first + chunk : rows;
  float sum = 0.f;
  for (long long row = first + warp_index(); column < out && row < end; row += 8) {
    float value = (int)row % tokens >= prefix ? dy[row * out + column] : 0.f;
    clean[row * out + column] = value;
    sum += value;
  }
  partial[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x < 32 && column < out) {
#pragma unroll
    for (int warp = 1; warp < 8; warp++) sum += partial[warp * 32 + threadIdx.x];
    sums[(long long)blockIdx.x * out + column] = sum;
  }
}

// dbias [out] = the sum of `chunks` rows of sums. A thread per column; grid x over columns.
KERNEL(conv3x3_bias, 128, (const float* sums, float* dbias, int chunks, int out)) {
  int column = blockIdx.x * blockDim.x + threadIdx.x;
  if (column >= out) return;
  float sum = 0.f;
  for (int chunk = 0; chunk < chunks; chunk++) sum += sums[(long long)chunk * out + column];
  dbias[column] = sum;
}
