package dev.sidefade.cuda;

/** Uses a buffer after it was closed, and leaves another open, with tracking. */
final class TrackingProgram {
  private TrackingProgram() {}

  /** No arguments. */
  public static void main(String[] args) {
    CudaContext context = CudaContext.open(CudaDevice.get(0));
    DeviceBuffer forgotten = makeForgotten(context);
    DeviceBuffer used = makeUsed(context);
    closeUsed(used);
    try {
      System.out.println(used.address());
    } catch (IllegalStateException e) {
      e.printStackTrace(System.out);
    }
    System.out.println("alive: " + context.accounting().alive());
    context.close();
    System.out.println("open: " + forgotten.isOpen());
  }

  private static DeviceBuffer makeForgotten(CudaContext context) {
    return DeviceBuffer.allocate(context, 111);
  }

  private static DeviceBuffer makeUsed(CudaContext context) {
    return DeviceBuffer.allocate(context, 222);
  }

  private static void closeUsed(DeviceBuffer buffer) {
    buffer.close();
  }
}
