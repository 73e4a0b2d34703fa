// What org.anyir.engines uses of org.pytorch:executorch-android:1.5.1, names and types alone, for builds that
// cannot have it. Never packaged; the Gradle build has the real classes.
package org.pytorch.executorch

import java.nio.FloatBuffer

class Tensor private constructor() {
    fun numel(): Long = signatureOnly()

    fun copyDataInto(dst: FloatBuffer): Unit = signatureOnly(dst)

    companion object {
        @JvmStatic
        fun fromBlob(data: FloatBuffer, shape: LongArray): Tensor = signatureOnly(data, shape)
    }
}

class EValue private constructor() {
    fun toTensor(): Tensor = signatureOnly()

    companion object {
        @JvmStatic
        fun from(tensor: Tensor): EValue = signatureOnly(tensor)
    }
}

class Module private constructor() {
    fun loadMethod(methodName: String): Unit = signatureOnly(methodName)

    fun execute(methodName: String, vararg inputs: EValue): Array<EValue> = signatureOnly(methodName, inputs)

    fun destroy(): Unit = signatureOnly()

    companion object {
        const val LOAD_MODE_MMAP = 1

        @JvmStatic
        fun load(modelPath: String, loadMode: Int, numThreads: Int): Module =
            signatureOnly(modelPath, loadMode, numThreads)
    }
}

private fun signatureOnly(vararg used: Any): Nothing =
    throw UnsupportedOperationException("a signature, given ${used.size}")
