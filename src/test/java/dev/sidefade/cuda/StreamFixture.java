package dev.sidefade.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A context and a stream for every test, after which nothing else may be left open. */
abstract class StreamFixture {
  CudaContext context;
  CudaStream stream;

  @BeforeEach
  void open() {
    context = CudaContext.open(CudaDevice.get(0));
    stream = CudaStream.create(context);
  }

  @AfterEach
  void close() {
    stream.close();
    assertTrue(context.accounting().isClear(), context.accounting().alive().toString());
    context.close();
  }
}
