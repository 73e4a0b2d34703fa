package org.anyir.engines

/**
 * Why a runtime cannot be used, or null: its class is looked up, and its native library loaded, once, when first
 * asked for.
 */
internal fun whyUnavailable(className: String, loadLibrary: () -> Unit = {}): String? = try {
    Class.forName(className, true, EngineFactory::class.java.classLoader)
    loadLibrary()
    null
} catch (_: ClassNotFoundException) {
    NOT_IN_THIS_BUILD
} catch (error: LinkageError) {
    "its native library cannot be loaded here (${firstLine(error.cause ?: error)})"
} catch (error: RuntimeException) {
    "it cannot be started here (${firstLine(error)})"
}

/**
 * Runs a runtime's code; whatever it throws becomes an [EngineException] whose message starts with [what].
 *
 * A native library that cannot be loaded and memory that runs out are errors of the runtime too, not of the app.
 */
internal inline fun <T> engineCall(what: String, call: () -> T): T = try {
    call()
} catch (error: EngineException) {
    throw error
} catch (error: Exception) {
    throw EngineException("$what: ${firstLine(error)}.", error)
} catch (error: LinkageError) {
    throw EngineException("$what: ${firstLine(error)}.", error)
} catch (error: OutOfMemoryError) {
    throw EngineException("$what: not enough memory.", error)
}

/** The first line of an error's message, short enough for a screen and without a full stop. */
internal fun firstLine(error: Throwable): String {
    val line = error.message?.lineSequence()?.map { it.trim() }?.firstOrNull { it.isNotEmpty() }
    return (line ?: error.javaClass.simpleName).take(200).trimEnd('.', ' ')
}
