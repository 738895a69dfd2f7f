// Squared errors of one number per row against targets and against a teacher, with the gradient.
//
//   student, dstudent [rows], teacher [rows] or null, F32; dstudent is written and may be student itself
//   targets [rows]; NaN: the row has no target
//   settings: 3 floats on the device: 1 / rows with a target (0 without any), 1 / rows, the teacher's weight
//   losses [2], written: the mean squares; unweighted
//
// One block of 256 threads: a batch of numbers is small. Sums in a fixed order.
#include "device.cuh"

KERNEL(regression, 256,
       (const float* student, const float* teacher, const float* targets, const float* settings, float* dstudent,
        float* losses, long long rows)) {
  const float target_mean = settings[0], teacher_mean = settings[1], weight = settings[2];
  float target_squares = 0.f, teacher_squares = 0.f;
  for (long long row = threadIdx.x; row < rows; row += 256) {
    const float x = student[row], target = targets[row];
    float gradient = 0.f;
    if (target == target) {
      const float error = x - target;
      target_squares = fmaf(error, error, target_squares);
      gradient = 2.f * target_mean * error;
    }
    if (teacher) {
      const float error = x - teacher[row];
      teacher_squares = fmaf(error, error, teacher_squares);
      gradient += 2.f * teacher_mean * weight * error;
    }
    dstudent[row] = gradient;
  }
  target_squares = block_sum<256>(target_squares);
  teacher_squares = block_sum<256>(teacher_squares);
  if (threadIdx.x == 0) {
    losses[0] = target_squares * target_mean;
    losses[1] = teacher_squares * teacher_mean;
  }
}
