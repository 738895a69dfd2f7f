// The rows that an operation needs, as a list made on the device: how many there are is never known on the host, so
// kernels are launched for all rows and blocks without work leave.
#pragma once
#include "device.cuh"

// list[0] = number of rows, list[SELECTION_HEADER + i] = row i, ascending
constexpr int SELECTION_HEADER = 64;

struct Selection {
  const int* list;  // null: all rows
  int rows;

  DEVICE int count() const { return list ? list[0] : rows; }
  DEVICE int row(int i) const { return list ? list[SELECTION_HEADER + i] : i; }
};

// The share of one of `chunks` blocks in the selected rows: runs of equal length, a multiple of 32.
struct Chunk {
  int begin;
  int end;

  DEVICE Chunk(int count, int index, int chunks) {
    const int length = ((count + chunks - 1) / chunks + 31) / 32 * 32;
    begin = (int)min((long long)index * length, (long long)count);
    end = min(begin + length, count);
  }
};
