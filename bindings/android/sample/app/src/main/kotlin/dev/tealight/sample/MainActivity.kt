package dev.tealight.sample

import android.app.Application
import android.net.Uri
import android.os.Bundle
import android.os.Debug
import android.provider.OpenableColumns
import androidx.activity.ComponentActivity
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.activity.result.contract.ActivityResultContracts
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import androidx.lifecycle.viewModelScope
import androidx.lifecycle.viewmodel.compose.viewModel
import dev.tealight.sample.conversation.Choice
import dev.tealight.sample.conversation.Conversation
import dev.tealight.sample.ui.ChatScreen
import java.io.File
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

class MainActivity : ComponentActivity() {
    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        enableEdgeToEdge()
        setContent {
            val models = viewModel<Models>()
            val state = models.conversation.state.collectAsStateWithLifecycle()
            val choices = models.choices.collectAsStateWithLifecycle()
            val picker =
                rememberLauncherForActivityResult(ActivityResultContracts.OpenDocument()) {
                    it?.let(models::add)
                }
            ChatScreen(
                state = state.value,
                choices = choices.value,
                onOpen = models.conversation::open,
                onAdd = { picker.launch(arrayOf("*/*")) },
                onSay = models.conversation::say,
                onStop = models.conversation::stop,
            )
        }
    }
}

/** The models on this device, and the conversation with one of them. It outlives rotations. */
class Models(application: Application) : AndroidViewModel(application) {
    private val folder = File(application.filesDir, "models").apply { mkdirs() }

    val conversation =
        Conversation(viewModelScope, application.cacheDir.path) { Debug.getPss() * 1024 }
    val choices = MutableStateFlow(listed())

    init {
        conversation.open(choices.value.first())
    }

    private fun listed(): List<Choice> {
        val files = folder.listFiles { file -> file.extension == "tea" }.orEmpty().sorted()
        return listOf(Choice("Household (built in)", null)) +
            files.map { Choice(it.nameWithoutExtension, it.path) }
    }

    /** Copies a compiled model to where it can be mapped. */
    fun add(source: Uri) {
        viewModelScope.launch {
            val file = withContext(Dispatchers.IO) { copy(source) }
            choices.value = listed()
            conversation.open(Choice(file.nameWithoutExtension, file.path))
        }
    }

    private fun copy(source: Uri): File {
        val resolver = getApplication<Application>().contentResolver
        val columns = arrayOf(OpenableColumns.DISPLAY_NAME)
        val name =
            resolver.query(source, columns, null, null, null)?.use {
                if (it.moveToFirst()) it.getString(0) else null
            }
        // The name comes from another app: no folders.
        val base = File(name ?: "model").nameWithoutExtension
        val file = File(folder, "$base.tea")
        resolver.openInputStream(source)?.use { input ->
            file.outputStream().use { input.copyTo(it) }
        }
        return file
    }

    override fun onCleared() {
        conversation.close()
    }
}
