package dev.sidefade.kernels;

/** Calls of the layers of a side network. */
final class CallsOfNetworks {
  private CallsOfNetworks() {}

  static void linear(Calls c) {
    int r = c.rows;
    c.in("a", r, c.base)
        .in("b", c.base, c.side)
        .out("c", r, c.side)
        .call("gemm", (k, t) -> k.gemm(t[0], false, t[1], false, t[2]));
    c.in("a", c.base, r)
        .in("b", c.side, c.base)
        .out("c", r, c.side)
        .call("gemm, both transposed", (k, t) -> k.gemm(t[0], true, t[1], true, t[2]));
    c.in("x", r, c.base)
        .in("weight", c.base, c.side)
        .in("bias", c.side)
        .out("y", r, c.side)
        .call("linear", (k, t) -> k.linear(t[0], t[1], t[2], t[3]));
    c.in("x", r, c.base)
        .in("weight", c.base, c.side)
        .in("dy", r, c.side)
        .out("dx", r, c.base)
        .out("dWeight", c.base, c.side)
        .out("dBias", c.side)
        .call("linearBackward", (k, t) -> k.linearBackward(t[0], t[1], t[2], t[3], t[4], t[5]));
    c.in("x", r, c.side).inOut("y", r, c.side).call("add", (k, t) -> k.add(t[0], t[1]));
  }

  static void tokenWise(Calls c) {
    int r = c.rows;
    c.in("x", r, c.side)
        .in("gamma", c.side)
        .in("beta", c.side)
        .out("y", r, c.side)
        .out("mean", r)
        .out("rstd", r)
        .call("layerNorm", (k, t) -> k.layerNorm(t[0], t[1], t[2], 1e-6f, t[3], t[4], t[5]));
    c.in("x", r, c.side)
        .in("gamma", c.side)
        .in("mean", r)
        .in("rstd", r)
        .in("dy", r, c.side)
        .inOut("dx", r, c.side)
        .out("dGamma", c.side)
        .out("dBeta", c.side)
        .call(
            "layerNormBackward",
            (k, t) -> k.layerNormBackward(t[0], t[1], t[2], t[3], t[4], t[5], true, t[6], t[7]));
    c.in("x", r, c.side).out("y", r, c.side).call("gelu", (k, t) -> k.gelu(t[0], t[1]));
    c.in("x", r, c.side)
        .in("dy", r, c.side)
        .out("dx", r, c.side)
        .call("geluBackward", (k, t) -> k.geluBackward(t[0], t[1], t[2]));
    c.in("x", r, c.side).out("y", r, c.side).call("relu", (k, t) -> k.relu(t[0], t[1]));
    c.in("y", r, c.side)
        .in("dy", r, c.side)
        .out("dx", r, c.side)
        .call("reluBackward", (k, t) -> k.reluBackward(t[0], t[1], t[2]));
  }

  static void ladder(Calls c) {
    int r = c.rows;
    float[] coefficients = Data.coefficients(3, r);
    float[] gates = Data.normal(4, 3, 0.1);
    c.in("gates", gates, 3)
        .in("keep", c.keep(), r)
        .out("c", 3, r)
        .call(
            "ladderCoefficients",
            (k, t) -> k.ladderCoefficients(t[0], 0.1f, MaskPlacement.STATE, t[1], t[2]));
    c.in("gates", gates, 3)
        .in("keep", c.keep(), r)
        .in("dc", 3, r)
        .out("dGates", 3)
        .call(
            "ladderCoefficientsBackward",
            (k, t) ->
                k.ladderCoefficientsBackward(t[0], 0.1f, MaskPlacement.INPUT, t[1], t[2], t[3]));
    c.in("h", r, c.base)
        .in("weight", c.base, c.side)
        .in("bias", c.side)
        .in("c", coefficients, r)
        .out("u", r, c.side)
        .call("ladderProject", (k, t) -> k.ladderProject(t[0], t[1], t[2], t[3], t[4]));
    c.in("h", r, c.base)
        .in("du", r, c.side)
        .in("c", coefficients, r)
        .out("dWeight", c.base, c.side)
        .out("dBias", c.side)
        .call(
            "ladderProjectBackward",
            (k, t) -> k.ladderProjectBackward(t[0], t[1], t[2], t[3], t[4]));
    c.in("z", r, c.side)
        .in("u", r, c.side)
        .in("c", coefficients, r)
        .out("x", r, c.side)
        .call("ladderMix", (k, t) -> k.ladderMix(t[0], t[1], t[2], t[3]));
    c.in("dx", r, c.side)
        .in("z", r, c.side)
        .in("u", r, c.side)
        .in("c", coefficients, r)
        .out("dz", r, c.side)
        .out("du", r, c.side)
        .out("dc", r)
        .call(
            "ladderMixBackward",
            (k, t) -> k.ladderMixBackward(t[0], t[1], t[2], t[3], t[4], t[5], t[6]));
  }

  static void adapter(Calls c) {
    int r = c.rows;
    c.in("x", r, c.side)
        .in("gamma", c.side)
        .in("beta", c.side)
        .in("w1", c.side, c.hidden)
        .in("b1", c.hidden)
        .in("w2", c.hidden, c.side)
        .in("b2", c.side)
        .out("mean", r)
        .out("rstd", r)
        .out("normalized", r, c.side)
        .out("hidden", r, c.hidden)
        .out("activated", r, c.hidden)
        .out("z", r, c.side)
        .call(
            "adapter",
            (k, t) ->
                k.adapter(
                    t[0],
                    new AdapterWeights(t[1], t[2], t[3], t[4], t[5], t[6]),
                    1e-6f,
                    new AdapterState(t[7], t[8], t[9], t[10], t[11]),
                    t[12]));
    c.in("x", r, c.side)
        .in("gamma", c.side)
        .in("beta", c.side)
        .in("w1", c.side, c.hidden)
        .in("b1", c.hidden)
        .in("w2", c.hidden, c.side)
        .in("b2", c.side)
        .in("mean", r)
        .in("rstd", r)
        .in("normalized", r, c.side)
        .in("hidden", r, c.hidden)
        .in("activated", r, c.hidden)
        .in("dz", r, c.side)
        .out("dx", r, c.side)
        .out("dGamma", c.side)
        .out("dBeta", c.side)
        .out("dW1", c.side, c.hidden)
        .out("dB1", c.hidden)
        .out("dW2", c.hidden, c.side)
        .out("dB2", c.side)
        .call(
            "adapterBackward",
            (k, t) ->
                k.adapterBackward(
                    t[0],
                    new AdapterWeights(t[1], t[2], t[3], t[4], t[5], t[6]),
                    new AdapterState(t[7], t[8], t[9], t[10], t[11]),
                    t[12],
                    t[13],
                    new AdapterWeights(t[14], t[15], t[16], t[17], t[18], t[19])));
  }

  static void attentionAndPool(Calls c) {
    int r = c.rows;
    int pooled = 2 * c.side;
    c.in("qkv", r, 3 * c.side)
        .in("valid", c.valid(), r)
        .out("out", r, c.side)
        .call("attention", (k, t) -> k.attention(t[0], c.layout, 2, t[1], t[2]));
    c.in("qkv", r, 3 * c.side)
        .in("valid", c.valid(), r)
        .in("dOut", r, c.side)
        .out("dQkv", r, 3 * c.side)
        .call(
            "attentionBackward",
            (k, t) -> k.attentionBackward(t[0], c.layout, 2, t[1], t[2], t[3]));
    c.in("x", r, c.side)
        .in("valid", c.valid(), r)
        .out("y", c.batch, pooled)
        .call("pool", (k, t) -> k.pool(t[0], c.layout, Pooling.CLS_MEAN, t[1], t[2]));
    c.in("dy", c.batch, pooled)
        .in("valid", c.valid(), r)
        .out("dx", r, c.side)
        .call(
            "poolBackward", (k, t) -> k.poolBackward(t[0], c.layout, Pooling.CLS_MEAN, t[1], t[2]));
    c.in("x", r, c.side)
        .in("valid", c.valid(), r)
        .out("y", r, c.side)
        .call("pool, tokens", (k, t) -> k.pool(t[0], c.layout, Pooling.TOKENS, t[1], t[2]));
    c.in("dy", r, c.side)
        .in("valid", c.valid(), r)
        .out("dx", r, c.side)
        .call(
            "poolBackward, tokens",
            (k, t) -> k.poolBackward(t[0], c.layout, Pooling.TOKENS, t[1], t[2]));
  }
}
