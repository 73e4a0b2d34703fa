package org.anyir.demo.ui

import android.content.Intent
import android.os.Build
import android.provider.MediaStore
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.util.ReflectionHelpers

/** Runs [action] where Android says that it is of the API level [sdk]. */
fun onSdk(sdk: Int, action: () -> Unit) {
    val real = Build.VERSION.SDK_INT
    ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", sdk)
    try {
        action()
    } finally {
        ReflectionHelpers.setStaticField(Build.VERSION::class.java, "SDK_INT", real)
    }
}

@RunWith(RobolectricTestRunner::class)
class IntentsTest {
    private fun choosers() = photoChoosers().map { it.action }

    @Test
    fun `the picker comes first, and the documents stand in where no app answers it`() {
        val both = listOf(MediaStore.ACTION_PICK_IMAGES, Intent.ACTION_OPEN_DOCUMENT)
        assertEquals(both, choosers())
        onSdk(33) { assertEquals(both, choosers()) }
    }

    @Test
    fun `a phone without a picker has the documents alone`() {
        for (sdk in listOf(26, 29, 30)) onSdk(sdk) { assertEquals(listOf(Intent.ACTION_OPEN_DOCUMENT), choosers()) }
    }
}
