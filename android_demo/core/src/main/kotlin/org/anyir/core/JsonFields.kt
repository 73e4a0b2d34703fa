package org.anyir.core

import com.google.gson.JsonElement
import com.google.gson.JsonObject
import com.google.gson.JsonParseException
import com.google.gson.JsonParser
import com.google.gson.Strictness
import com.google.gson.stream.JsonReader
import com.google.gson.stream.JsonToken
import com.google.gson.stream.MalformedJsonException
import java.io.IOException
import java.io.StringReader

/**
 * One JSON object whose every entry is asked for by name and type; what was not asked for is refused at the
 * [end]. Every fault is a [ManifestException] that says where.
 */
internal class JsonFields(private val json: JsonObject, private val path: String) {
    private val unread = json.keySet().toMutableSet()

    fun has(name: String): Boolean = json.has(name)

    fun string(name: String): String = string(take(name), place(name))

    fun double(name: String): Double = double(take(name), place(name))

    fun long(name: String): Long = long(take(name), place(name))

    fun int(name: String): Int {
        val value = long(name)
        if (value !in Int.MIN_VALUE..Int.MAX_VALUE) wrong(place(name), "is out of range")
        return value.toInt()
    }

    fun oneOf(name: String, choices: Set<String>): String {
        val value = string(name)
        if (value !in choices) wrong(place(name), "is not one of ${choices.joinToString()}")
        return value
    }

    /** The value, or null where the file says null. The entry itself must be there. */
    fun <T : Any> orNull(name: String, read: (String) -> T): T? = if (take(name).isJsonNull) null else read(name)

    fun json(name: String): JsonObject {
        val value = take(name)
        return if (value.isJsonObject) value.asJsonObject else wrong(place(name), "is not an object")
    }

    fun fields(name: String) = JsonFields(json(name), place(name))

    fun <T> list(name: String, read: (JsonFields) -> T): List<T> = elements(name) { value, where ->
        if (!value.isJsonObject) wrong(where, "is not an object")
        read(JsonFields(value.asJsonObject, where))
    }

    fun strings(name: String): List<String> = elements(name, ::string)

    fun longs(name: String): List<Long> = elements(name, ::long)

    fun doubles(name: String): List<Double> = elements(name, ::double)

    /** The names that were not asked for yet. */
    fun rest(): List<String> = unread.toList()

    /** Refuses what was not asked for. */
    fun end() {
        unread.firstOrNull()?.let { wrong(place(it), "is unknown") }
    }

    private fun take(name: String): JsonElement {
        unread.remove(name)
        return json.get(name) ?: wrong(place(name), "is missing")
    }

    private fun <T> elements(name: String, read: (JsonElement, String) -> T): List<T> {
        val value = take(name)
        if (!value.isJsonArray) wrong(place(name), "is not a list")
        return value.asJsonArray.mapIndexed { i, element -> read(element, "${place(name)}.$i") }
    }

    private fun string(value: JsonElement, where: String): String {
        if (!value.isJsonPrimitive || !value.asJsonPrimitive.isString) wrong(where, "is not a text")
        return value.asString
    }

    private fun double(value: JsonElement, where: String): Double {
        if (!value.isJsonPrimitive || !value.asJsonPrimitive.isNumber) wrong(where, "is not a number")
        val number = value.asDouble
        return if (number.isNaN() || number.isInfinite()) wrong(where, "is out of range") else number
    }

    /** 3 and 3.0 are whole numbers, as in JSON Schema. */
    private fun long(value: JsonElement, where: String): Long {
        if (!value.isJsonPrimitive || !value.asJsonPrimitive.isNumber) wrong(where, "is not a number")
        val number = try {
            value.asBigDecimal
        } catch (_: NumberFormatException) {
            wrong(where, "is out of range")
        }
        if (number.signum() != 0 && number.stripTrailingZeros().scale() > 0) wrong(where, "is not a whole number")
        return try {
            number.longValueExact()
        } catch (_: ArithmeticException) {
            wrong(where, "is out of range")
        }
    }

    private fun place(name: String) = if (path.isEmpty()) name else "$path.$name"

    private fun wrong(where: String, what: String): Nothing =
        throw ManifestException("The manifest is not by schema ${Manifest.SCHEMA_VERSION}: $where $what.")

    companion object {
        /** The object that [text] holds, by the letter of RFC 8259. */
        fun parse(text: String): JsonFields {
            val json = try {
                val reader = JsonReader(StringReader(text)).apply { strictness = Strictness.STRICT }
                JsonParser.parseReader(reader).also {
                    if (reader.peek() != JsonToken.END_DOCUMENT) throw MalformedJsonException("text after the end")
                }
            } catch (error: JsonParseException) {
                throw ManifestException("The manifest is not valid JSON (${reason(error)}).")
            } catch (error: IOException) {
                throw ManifestException("The manifest is not valid JSON (${reason(error)}).")
            }
            if (!json.isJsonObject) throw ManifestException("The manifest is not a JSON object.")
            return JsonFields(json.asJsonObject, "")
        }

        /** The first line: Gson's further ones point to its own pages. */
        private fun reason(error: Exception): String =
            (error.cause ?: error).message?.lineSequence()?.firstOrNull() ?: error.javaClass.simpleName
    }
}
