package dev.sidefade.kernels;

/** Everything that a backend promises. */
public interface AllKernelContracts
    extends DeviceContract,
        LinearContract,
        ActivationContract,
        LayerNormContract,
        LadderContract,
        AdapterContract,
        AttentionContract,
        PoolContract,
        FeatureMatchingContract,
        MaskContract,
        ConvContract,
        DistillationContract,
        RegressionContract,
        OptimizerContract,
        ArgumentContract,
        DeterminismContract {}
