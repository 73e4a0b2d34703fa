"""From a trained AnyIR to ExecuTorch, Core ML and LiteRT programs, each proven and described."""
