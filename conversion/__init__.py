"""From a trained AnyIR to ExecuTorch, Core ML, LiteRT and Core AI programs, each proven and described."""
