package org.anyir.engines

import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.TensorBuffer
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.TileTiming
import java.nio.FloatBuffer

/**
 * LiteRT's newer interface, `CompiledModel`, on the CPU or on the GPU.
 *
 * It is asked for one accelerator alone. Asked for the GPU and the CPU, it runs on the CPU without a word where
 * the GPU's library is missing; asked for the GPU, it refuses a program that is not wholly for it. Its Kotlin API does
 * not tell what then runs inside: not whether XNNPACK took the program, nor in which precision the GPU computes.
 */
internal class CompiledModelFactory private constructor(private val gpu: Boolean) : EngineFactory {
    override val id = if (gpu) "litert-gpu" else "litert-cpu"
    override val label = if (gpu) "LiteRT GPU" else "LiteRT CPU"

    private val reason by lazy { whyUnavailable("com.google.ai.edge.litert.CompiledModel") }

    override fun unavailable(): String? = reason

    override fun opens(manifest: Manifest): Boolean = manifest.runtime == "litert"

    override fun open(model: Model, threads: Int): Engine = engineCall("$label cannot load ${model.file.name}") {
        reason?.let { throw EngineException("$label cannot be used: $it.") }
        if (gpu) openOnGpu(model) else openOnCpu(model, threads)
    }

    companion object {
        fun cpu(): EngineFactory = CompiledModelFactory(gpu = false)

        fun gpu(): EngineFactory = CompiledModelFactory(gpu = true)
    }
}

private fun openOnCpu(model: Model, threads: Int): Engine {
    val options = CompiledModel.Options(Accelerator.CPU)
    options.cpuOptions = CompiledModel.CpuOptions(numThreads = threads)
    return CompiledModelEngine(model, options, "LiteRT CPU (XNNPACK asked for)", threads)
}

/** Half precision is what makes a phone's GPU fast; a program in fp32 asks for the whole one. */
private fun openOnGpu(model: Model): Engine {
    val whole = model.manifest.precision == "fp32"
    val precision =
        if (whole) CompiledModel.GpuOptions.Precision.FP32 else CompiledModel.GpuOptions.Precision.FP16
    val options = CompiledModel.Options(Accelerator.GPU)
    options.gpuOptions = CompiledModel.GpuOptions(precision = precision)
    return CompiledModelEngine(model, options, "LiteRT GPU (${if (whole) "fp32" else "fp16"} asked for)", null)
}

private class CompiledModelEngine(
    model: Model,
    options: CompiledModel.Options,
    override val accelerator: String,
    override val threads: Int?,
) : Engine {
    override val name = "$accelerator, ${model.manifest.name}"
    override val tile = model.manifest.tile

    private val compiled = CompiledModel.create(model.file.path, options)
    private val inputs: List<TensorBuffer>
    private val outputs: List<TensorBuffer>
    private val values = FloatArray(3 * tile * tile)

    init {
        try {
            inputs = compiled.createInputBuffers()
            outputs = compiled.createOutputBuffers()
        } catch (error: Throwable) {
            compiled.close()
            throw error
        }
    }

    /** Its buffers take and give arrays alone; the one that it gives is new each time. */
    override fun run(input: FloatBuffer, output: FloatBuffer): TileTiming = engineCall("$name failed") {
        val start = System.nanoTime()
        input.clear()
        input.get(values)
        inputs[0].writeFloat(values)
        val copied = System.nanoTime()
        compiled.run(inputs, outputs)
        val ran = System.nanoTime()
        val result = outputs[0].readFloat()
        if (result.size != values.size) {
            throw EngineException("$name gave ${result.size} values where ${values.size} are due.")
        }
        output.clear()
        output.put(result)
        TileTiming(copied - start, ran - copied, System.nanoTime() - ran)
    }

    override fun close() {
        (inputs + outputs).forEach { it.close() }
        compiled.close()
    }
}
