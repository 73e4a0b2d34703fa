package org.anyir.engines

import com.google.ai.edge.litert.Accelerator
import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.TensorBuffer
import org.anyir.core.Entry
import org.anyir.core.Manifest
import org.anyir.core.Model
import org.anyir.core.RunTiming
import org.anyir.core.Statistics
import java.io.Closeable
import java.nio.FloatBuffer

/**
 * LiteRT's newer interface, `CompiledModel`, on the CPU or on the GPU.
 *
 * It is asked for one accelerator alone. Asked for the GPU and the CPU, it runs on the CPU without a word where
 * the GPU's library is missing; asked for the GPU, it refuses a program that is not wholly for it. The GPU restores
 * tiles and the CPU looks: a look's largest texture is a quarter of the tile's pixels high, and a GPU that has none so
 * large returns rubbish without a word. Its Kotlin API does
 * not tell what then runs inside: not whether XNNPACK took the program, nor in which precision the GPU computes.
 */
internal class CompiledModelFactory private constructor(private val gpu: Boolean) : EngineFactory {
    override val id = if (gpu) "litert-gpu" else "litert-cpu"
    override val label = if (gpu) "LiteRT GPU" else "LiteRT CPU"

    private val reason by lazy { whyUnavailable("com.google.ai.edge.litert.CompiledModel") }

    override fun unavailable(): String? = reason

    override fun opens(manifest: Manifest): Boolean = manifest.runtime == "litert"

    override fun open(model: Model, threads: Int, both: Boolean): Engine =
        engineCall("$label cannot load ${model.file.name}") {
            reason?.let { throw EngineException("$label cannot be used: $it.") }
            if (gpu) openOnGpu(model, threads, both) else openOnCpu(model, threads, both)
        }

    companion object {
        fun cpu(): EngineFactory = CompiledModelFactory(gpu = false)

        fun gpu(): EngineFactory = CompiledModelFactory(gpu = true)
    }
}

private fun openOnCpu(model: Model, threads: Int, both: Boolean): Engine =
    CompiledModelEngine(model, onCpu(threads), null, "LiteRT CPU (XNNPACK asked for)", threads, both)

private fun onCpu(threads: Int) = CompiledModel.Options(Accelerator.CPU).apply {
    cpuOptions = CompiledModel.CpuOptions(numThreads = threads)
}

/** Half precision is what makes a phone's GPU fast; a program in fp32 asks for the whole one. */
private fun openOnGpu(model: Model, threads: Int, both: Boolean): Engine {
    val whole = model.manifest.precision == "fp32"
    val precision =
        if (whole) CompiledModel.GpuOptions.Precision.FP32 else CompiledModel.GpuOptions.Precision.FP16
    val options = CompiledModel.Options(Accelerator.GPU)
    options.gpuOptions = CompiledModel.GpuOptions(precision = precision)
    val accelerator = "LiteRT GPU (${if (whole) "fp32" else "fp16"} asked for, the look on the CPU)"
    return CompiledModelEngine(model, options, onCpu(threads), accelerator, null, both)
}

/** @param looking for what looks, if that is another one than what restores */
private class CompiledModelEngine(
    private val model: Model,
    private val options: CompiledModel.Options,
    private val looking: CompiledModel.Options?,
    override val accelerator: String,
    override val threads: Int?,
    both: Boolean,
) : Engine {
    override val name = "$accelerator, ${model.manifest.name}"
    override val tile = model.manifest.tile
    override val tileSize = model.manifest.tileSize

    /** A GPU is asked before a photo is looked at, and keeps the program; the look's own is closed after it. */
    private val kept = if (looking == null) null else RESTORE

    /** What `restore` has in its buffers. */
    private var given: Statistics? = null
    private val programs = OpenEntries(name, model.file, both, kept) { Program(it) }

    override fun newStatistics() = roomFor(model.manifest)

    override fun look(sheet: FloatBuffer, statistics: Statistics): RunTiming = engineCall("$name failed") {
        checkOwn(statistics)
        if (given === statistics) given = null
        programs.having(LOOK).signature(LOOK).run(listOf(sheet), statistics.values)
    }

    /** The statistics stay in the runtime's buffers from tile to tile: it overwrites no input. */
    override fun restore(input: FloatBuffer, statistics: Statistics, output: FloatBuffer): RunTiming =
        engineCall("$name failed") {
            checkOwn(statistics)
            val signature = programs.having(RESTORE).signature(RESTORE)
            val inputs = listOf(input) + if (given === statistics) emptyList() else statistics.values
            signature.run(inputs, listOf(output)).also { given = statistics }
        }

    override fun close() = programs.close()

    /** The program, loaded for these [entries]: once, or twice where another one looks than restores. */
    private inner class Program(entries: List<String>) : Closeable {
        private val compiled = HashMap<CompiledModel.Options, CompiledModel>()
        private val signatures = HashMap<String, Signature>()

        init {
            if (RESTORE in entries) given = null // its buffers are new
            try {
                for (entry in entries) signatures[entry] = opened(entry)
                // What the file lacks for the other entry is said now; its buffers are made when it is used.
                if (looking == null) for (entry in listOf(LOOK, RESTORE) - entries) opened(entry).close()
            } catch (error: Throwable) {
                close()
                throw error
            }
        }

        fun signature(entry: String) = signatures.getValue(entry)

        private fun opened(key: String): Signature {
            val own = if (key == LOOK) looking ?: options else options
            val program = compiled.getOrPut(own) { CompiledModel.create(model.file.path, own) }
            return Signature(program, key, model.manifest.entries.run { if (key == LOOK) look else restore })
        }

        override fun close() {
            signatures.values.forEach(Signature::close)
            compiled.values.forEach(CompiledModel::close)
        }
    }

    /** One of the program's two entries with its buffers, which take and give arrays alone; those given are new. */
    private inner class Signature(
        private val compiled: CompiledModel,
        private val key: String,
        private val entry: Entry,
    ) {
        private val inputs = entry.inputs.associate { it.name to compiled.createInputBuffer(it.name, key) }
        private val outputs = entry.outputs.associate { it.name to compiled.createOutputBuffer(it.name, key) }
        private val arrays = entry.inputs.map { FloatArray(it.size) }

        /** Sets the first inputs, runs, and copies the outputs. */
        fun run(first: List<FloatBuffer>, results: List<FloatBuffer>): RunTiming {
            val start = System.nanoTime()
            for ((i, values) in first.withIndex()) {
                values.clear()
                values.get(arrays[i])
                inputs.getValue(entry.inputs[i].name).writeFloat(arrays[i])
            }
            val copied = System.nanoTime()
            compiled.run(inputs, outputs, key)
            val ran = System.nanoTime()
            for ((i, result) in results.withIndex()) {
                val spec = entry.outputs[i]
                val values = outputs.getValue(spec.name).readFloat()
                checkSize(values.size.toLong(), spec.size, spec.name)
                result.clear()
                result.put(values)
            }
            return RunTiming(copied - start, ran - copied, System.nanoTime() - ran)
        }

        fun close() = (inputs.values + outputs.values).forEach(TensorBuffer::close)
    }
}
