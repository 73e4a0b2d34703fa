package org.anyir.demo.ui

import android.net.Uri
import org.anyir.core.Need
import org.anyir.demo.photo.PhotoFormat
import org.anyir.demo.photo.PhotoInfo
import org.anyir.demo.restore.RestoreState
import org.anyir.demo.restore.RestoredPhoto
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import java.io.File

fun photoInfo(width: Int = 4000, height: Int = 3000, notes: List<String> = emptyList()) =
    PhotoInfo(Uri.parse("content://x/1"), "IMG_1.jpg", File("photo"), PhotoFormat.JPEG, 1, width, height, notes)

fun restoredPhoto(
    saved: Boolean = false,
    half: Boolean = false,
    file: File = File("result"),
    model: String = "anyir_litert_cpu_fp16_256x256",
    engine: String = "LiteRT",
    need: Need = Need(0.9, 0.1, 0.0, -0.2),
) = RestoredPhoto(
    file, 4000, 3000, half, model, engine, "LiteRT CPU (XNNPACK asked for)", 12_345, need, saved,
)

/** The state of the work -> what the screen shows. */
@RunWith(RobolectricTestRunner::class) // for Uri
class UiStateTest {
    private val photo = photoInfo()
    private val usable = fakeCatalogue()

    @Test
    fun `every state of the work has its screen`() {
        val screens = mapOf(
            RestoreState.Idle to Screen.START,
            RestoreState.Opening to Screen.OPENING,
            RestoreState.Ready(photo) to Screen.READY,
            RestoreState.Running(photo, 3, 20, 9000) to Screen.RUNNING,
            RestoreState.Done(photo, restoredPhoto()) to Screen.DONE,
            RestoreState.Failed(null, "It failed.") to Screen.FAILED,
        )
        for ((work, screen) in screens) assertEquals(screen, uiState(work, usable).screen)
    }

    @Test
    fun `progress is passed on`() {
        val need = Need(3.0, 0.0, 0.0, -2.0)
        val state = uiState(RestoreState.Running(photo, 3, 20, 9000, need, cancelling = true), usable)
        assertEquals(Progress(3, 20, 2, 9000, need, cancelling = true), state.progress)
        assertSame(photo, state.photo)
        assertFalse("a running restoration cannot be closed", state.canClose)
    }

    @Test
    fun `what there is to restore with`() {
        assertEquals(Models.LOOKING, uiState(RestoreState.Idle, null).models)
        assertEquals(
            Models.NONE,
            uiState(RestoreState.Idle, Catalogue(emptyList(), emptyList(), emptyList(), null)).models,
        )
        val idle = Catalogue(usable.models, emptyList(), usable.engines, null)
        assertEquals(Models.NONE_RUNS, uiState(RestoreState.Idle, idle).models)
        assertEquals(Models.SOME, uiState(RestoreState.Idle, usable).models)
        assertFalse(uiState(RestoreState.Ready(photo), idle).canRestore)
        assertTrue(uiState(RestoreState.Ready(photo), usable).canRestore)
    }

    @Test
    fun `a failure keeps its sentence and the photo that can be tried again`() {
        val state = uiState(RestoreState.Failed(photo, "The engine stopped."), usable)
        assertEquals("The engine stopped.", state.message)
        assertTrue(state.canRestore)
        assertFalse(uiState(RestoreState.Failed(null, "No photo."), usable).canRestore)
    }

    @Test
    fun `only a result that was never saved is lost by closing`() {
        assertTrue(uiState(RestoreState.Done(photo, restoredPhoto()), usable).unsaved)
        assertFalse(uiState(RestoreState.Done(photo, restoredPhoto(saved = true)), usable).unsaved)
        assertFalse(uiState(RestoreState.Ready(photo), usable).unsaved)
    }

    @Test
    fun `restoring again is offered where something else is chosen than made the result`() {
        val choice = checkNotNull(usable.choice)
        val (model, engine) = Pair(choice.model.manifest.name, choice.engine.label)
        fun again(model: String, engine: String, catalogue: Catalogue? = usable) =
            uiState(RestoreState.Done(photo, restoredPhoto(model = model, engine = engine)), catalogue).again
        assertNull(again(model, engine))
        assertSame(choice, again("another", engine))
        assertSame(choice, again(model, "another"))
        assertNull("nothing can run", again("another", engine, null))
        assertNull("there is no result", uiState(RestoreState.Ready(photo), usable).again)
    }

    @Test
    fun `what became of saving belongs to the result alone`() {
        val failed = Saving.Failed("There is no space.")
        assertSame(failed, uiState(RestoreState.Done(photo, restoredPhoto()), usable, failed).saving)
        assertSame(Saving.Not, uiState(RestoreState.Ready(photo), usable, failed).saving)
    }

    @Test
    fun `a notice is shown beside any state`() {
        assertEquals("Wait.", uiState(RestoreState.Opening, null, notice = "Wait.").notice)
        assertNull(uiState(RestoreState.Opening, null).notice)
    }
}
