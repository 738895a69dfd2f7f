// Where threads meet: barriers of the block and collectives of a warp. A thread that waits leaves the addresses of
// what it gives and of where it wants the answer; the last one to come computes all the answers.
#include "runtime.h"

namespace emulation {

int lane() { return block.current % WARP; }

// ---- barriers
static void open_barrier() {
  bool all = block.barrier_all, any = block.barrier_any;
  block.barrier_result = block.barrier_kind == 0 ? any : block.barrier_kind == 1 ? all : block.barrier_count;
  block.at_barrier = 0;
  block.barriers++;
  for (int i = 0; i < block.threads; i++)
    if (block.thread[i].state == State::AT_BARRIER) make_ready(i);
}

int barrier_reduce(int kind, bool predicate, Site site) {
  if (!block.at_barrier) {
    block.barrier_site = site;
    block.barrier_kind = kind;
    block.barrier_any = block.barrier_count = 0;
    block.barrier_all = 1;
  } else if (block.barrier_site.line != site.line || block.barrier_site.file != site.file) {
    fail("divergent barrier: this thread is at %s, others wait at %s", where(site), where(block.barrier_site));
  }
  block.barrier_any |= predicate;
  block.barrier_all &= predicate;
  block.barrier_count += predicate;
  void* order = barrier_order[block.set][block.barriers & 1];
  release(order);
  current().state = State::AT_BARRIER;
  block.at_barrier++;
  if (block.at_barrier == block.live) open_barrier();
  wait(State::AT_BARRIER, "__syncthreads", site);
  acquire(order);
  return block.barrier_result;
}

void barrier(Site site) { barrier_reduce(0, false, site); }

void thread_exits() {
  Thread& me = current();
  if (me.first_copy < me.copies.size())
    fail("ends with %zu asynchronous copies that it has not waited for", me.copies.size() - me.first_copy);
  me.state = State::DONE;
  block.live--;
  Warp& warp = block.warp[block.current / WARP];
  unsigned bit = 1u << lane();
  warp.exited |= bit;
  for (int i = 0; i < warp.meetings_used; i++) {
    Meeting& meeting = warp.meetings[i];
    if (meeting.arrived && (meeting.mask & bit))
      fail("exits while lanes %08x of its warp wait for it in %s at %s", meeting.arrived, meeting.what,
           where(meeting.site));
  }
  if (block.at_barrier && block.at_barrier == block.live) open_barrier();  // exited threads are not waited for
}

// ---- collectives
static Meeting& meeting_of(Warp& warp, unsigned mask, const char* what, Site site) {
  Meeting* free = nullptr;
  for (int i = 0; i < warp.meetings_used; i++) {
    Meeting& meeting = warp.meetings[i];
    if (!meeting.arrived) {
      if (!free) free = &meeting;
      continue;
    }
    if (meeting.mask == mask) {
      if (meeting.what != what || meeting.site.line != site.line)
        fail("warp diverged: lane %d is in %s at %s, lanes %08x are in %s at %s", lane(), what, where(site),
             meeting.arrived, meeting.what, where(meeting.site));
      return meeting;
    }
    if (meeting.mask & mask)
      fail("warp diverged: lane %d is in %s at %s with mask %08x, lanes %08x are in %s at %s with mask %08x", lane(),
           what, where(site), mask, meeting.arrived, meeting.what, where(meeting.site), meeting.mask);
  }
  if (!free) free = &warp.meetings[warp.meetings_used++];
  *free = {mask, 0, what, site, nullptr};
  return *free;
}

// One thread's part of a collective: `in` and `out` stay valid until it returns. The last one to come runs
// answer(lanes, mask), lanes being the 32 threads of the warp.
template <class Answer>
static void meet(const char* what, unsigned mask, const void* in, void* out, Site site, Answer answer) {
  int me = lane(), first = block.current - me;
  Warp& warp = block.warp[block.current / WARP];
  mask &= warp.exists;
  if (!(mask >> me & 1)) fail("%s at %s: lane %d is not in its own mask %08x", what, where(site), me, mask);
  if (warp.exited & mask)
    fail("%s at %s: the mask %08x names the lanes %08x, which have exited", what, where(site), mask,
         warp.exited & mask);
  Meeting& meeting = meeting_of(warp, mask, what, site);
  Thread* lanes = block.thread + first;
  lanes[me].in = in;
  lanes[me].out = out;
  meeting.arrived |= 1u << me;
  if (meeting.arrived != mask) {
    wait(State::IN_COLLECTIVE, what, site);
    return;
  }
  answer(lanes, mask);
  meeting.arrived = 0;
  for (unsigned others = mask & ~(1u << me); others; others &= others - 1) make_ready(first + __builtin_ctz(others));
  if (config().schedule == Schedule::FIFO) return;
  make_ready(block.current);  // lets the others go on first
  wait(State::READY, what, site);
}

void warp_barrier(unsigned mask, Site site) {
  Warp& warp = block.warp[block.current / WARP];
  void* order = warp_order[block.set][block.current / WARP][warp.warp_barriers & 7];
  release(order);
  meet("__syncwarp", mask, nullptr, nullptr, site, [&](Thread*, unsigned) { warp.warp_barriers++; });
  acquire(order);
}

namespace {
struct Shuffle {
  uint64_t bits;
  int source;
};
}  // namespace

uint64_t shuffle(const char* what, unsigned mask, uint64_t bits, int source, Site site) {
  Shuffle in{bits, source & (WARP - 1)};
  uint64_t out;
  meet(what, mask, &in, &out, site, [&](Thread* lanes, unsigned all) {
    for (unsigned left = all; left; left &= left - 1) {
      int i = __builtin_ctz(left), from = ((const Shuffle*)lanes[i].in)->source;
      if (!(all >> from & 1))
        fail("%s at %s: lane %d reads lane %d, which is not in the mask %08x", what, where(site), i, from, all);
      *(uint64_t*)lanes[i].out = ((const Shuffle*)lanes[from].in)->bits;
    }
  });
  return out;
}

unsigned ballot(const char* what, unsigned mask, bool predicate, Site site) {
  unsigned out;
  meet(what, mask, &predicate, &out, site, [](Thread* lanes, unsigned all) {
    unsigned bits = 0;
    for (unsigned left = all; left; left &= left - 1) {
      int i = __builtin_ctz(left);
      bits |= (unsigned)*(const bool*)lanes[i].in << i;
    }
    for (unsigned left = all; left; left &= left - 1) *(unsigned*)lanes[__builtin_ctz(left)].out = bits;
  });
  return out;
}

// rows[r][m]: where row r of matrix m begins, for every lane
void matrix_rows(const char* what, const void* row, const unsigned char* (&rows)[8][4], Site site) {
  if ((uintptr_t)row % 16) fail("%s at %s: the row %p is not aligned to 16 bytes", what, where(site), row);
  if (!is_shared(row, 16)) fail("%s at %s: the row %p is not in shared memory", what, where(site), row);
  meet(what, ~0u, row, rows, site, [&](Thread* lanes, unsigned all) {
    if (all != ~0u) fail("%s at %s: the warp has only the lanes %08x", what, where(site), all);
    for (int i = 0; i < WARP; i++)
      for (int r = 0; r < 8; r++)
        for (int m = 0; m < 4; m++)
          ((const unsigned char*(*)[4])lanes[i].out)[r][m] = (const unsigned char*)lanes[8 * m + r].in;
  });
}

// ---- tensor cores
namespace {
struct Fragments {
  uint32_t a[4], b[2];
  float c[4];
};

template <bool BRAIN>
float half_of(uint32_t pair, int upper) {
  uint16_t bits = (uint16_t)(pair >> 16 * upper);
  return BRAIN ? __bfloat162float(bf16{bits}) : __half2float(f16{bits});
}

typedef float Row __attribute__((vector_size(32)));  // 8 columns

template <bool BRAIN>
void multiply(Thread* lanes) {
  float a[16][16];
  Row b[16], sums[16];
  for (int i = 0; i < WARP; i++) {
    const Fragments* in = (const Fragments*)lanes[i].in;
    int group = i / 4, column = 2 * (i % 4);
    for (int h = 0; h < 2; h++) {
      a[group][column + h] = half_of<BRAIN>(in->a[0], h);
      a[group + 8][column + h] = half_of<BRAIN>(in->a[1], h);
      a[group][column + 8 + h] = half_of<BRAIN>(in->a[2], h);
      a[group + 8][column + 8 + h] = half_of<BRAIN>(in->a[3], h);
      b[column + h][group] = half_of<BRAIN>(in->b[0], h);
      b[column + 8 + h][group] = half_of<BRAIN>(in->b[1], h);
    }
  }
  for (int row = 0; row < 16; row++) {
    Row sum = {};
    for (int k = 0; k < 16; k++) sum += a[row][k] * b[k];
    sums[row] = sum;
  }
  for (int i = 0; i < WARP; i++)
    for (int q = 0; q < 4; q++)
      ((float*)lanes[i].out)[q] =
          ((const Fragments*)lanes[i].in)->c[q] + sums[i / 4 + 8 * (q / 2)][2 * (i % 4) + q % 2];
}
}  // namespace

void multiply_accumulate_halves(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1, bool brain,
                                Site site) {
  Fragments in{{a[0], a[1], a[2], a[3]}, {b0, b1}, {c[0], c[1], c[2], c[3]}};
  meet("multiply_accumulate", ~0u, &in, c, site, [&](Thread* lanes, unsigned all) {
    if (all != ~0u) fail("multiply_accumulate at %s: the warp has only the lanes %08x", where(site), all);
    brain ? multiply<true>(lanes) : multiply<false>(lanes);
  });
}

// ---- asynchronous copies
void copy_begin(void* shared, const void* global, bool wanted, Site site) {
  if ((uintptr_t)shared % 16)
    fail("copy_async16 at %s: the destination %p is not aligned to 16 bytes", where(site), shared);
  if (!is_shared(shared, 16))
    fail("copy_async16 at %s: the destination %p is not in shared memory", where(site), shared);
  if (wanted && (uintptr_t)global % 16)
    fail("copy_async16 at %s: the source %p is not aligned to 16 bytes", where(site), global);
  Thread& me = current();
  if (me.first_copy == me.copies.size()) me.copies.clear(), me.first_copy = 0;
  me.copies.push_back({shared, wanted ? global : nullptr, me.copy_group});
}

void copy_commit() { current().copy_group++; }

bool copy_due(int keep, Copy& copy) {
  Thread& me = current();
  if (me.first_copy == me.copies.size() || me.copies[me.first_copy].group >= me.copy_group - keep) return false;
  copy = me.copies[me.first_copy++];
  return true;
}

}  // namespace emulation
