import AnyIRState
import PhotosUI
import SwiftUI
import UniformTypeIdentifiers

/// The main screen: the photo, and a panel for what can be done with it; side by side where there is width.
struct MainView: View {
    @Bindable var model: AppModel
    let benchmark: BenchmarkModel

    @Environment(\.verticalSizeClass) private var height
    @Environment(\.horizontalSizeClass) private var width
    @State private var picksPhoto = false
    @State private var picked: PhotosPickerItem?
    @State private var browses = false
    @State private var showsModels = false

    private var isWide: Bool { height == .compact || width == .regular }
    private var layout: AnyLayout { isWide ? AnyLayout(HStackLayout(spacing: 0)) : AnyLayout(VStackLayout(spacing: 0)) }

    var body: some View {
        NavigationStack {
            layout {
                photo
                ScrollView { panel.padding() }
                    .frame(maxWidth: isWide ? 380 : .infinity, maxHeight: isWide ? .infinity : 340)
            }
            .toolbar { toolbar }
            .navigationTitle("AnyIR")
            .navigationBarTitleDisplayMode(.inline)
        }
        .task { await model.findModels() }
        .photosPicker(
            isPresented: $picksPhoto, selection: $picked, matching: .images, preferredItemEncoding: .current
        )
        .onChange(of: picked) { _, item in
            guard let item else { return }
            picked = nil
            model.choose(.picked(item))
        }
        .fileImporter(isPresented: $browses, allowedContentTypes: [.image]) { result in
            if case .success(let url) = result { model.choose(.file(url)) }
        }
        .dropDestination(for: URL.self) { urls, _ in
            guard let url = urls.first else { return false }
            model.choose(.file(url))
            return true
        }
        .alert(Words.closeTitle, isPresented: $model.asksQuestion) {
            Button(Words.closeUnsaved, role: .destructive) { model.send(.answer(giveUp: true)) }
            Button(Words.keep, role: .cancel) { model.send(.answer(giveUp: false)) }
        } message: {
            Text(Words.closeText)
        }
        .sheet(isPresented: $showsModels) { ModelsView(model: model, benchmark: benchmark) }
        .sheet(item: $model.offered) { ShareSheet(file: $0.url) }
    }

    @ViewBuilder private var photo: some View {
        if let images = model.images, let photo = model.state.work.photo {
            CompareView(images: images, name: photo.name, strength: model.strength)
        } else {
            Color("Surround").overlay {
                if model.cannotShow { Text(Words.cannotShow).foregroundStyle(.white) }
            }
        }
    }

    @ViewBuilder private var panel: some View {
        let choosing = ChoosingButtons(pick: { picksPhoto = true }, browse: { browses = true })
        VStack(alignment: .leading, spacing: 12) {
            if let notice = model.state.notice { Problem(text: notice.sentence) }
            switch model.state.work {
            case .idle: StartPanel(model: model, choosing: choosing)
            case .opening: OpeningPanel(model: model)
            case .ready(let photo, let interrupted):
                ReadyPanel(
                    model: model, photo: photo, interrupted: interrupted, choosing: choosing,
                    showModels: { showsModels = true })
            case .running(_, let progress, let cancelling):
                RunningPanel(model: model, progress: progress, cancelling: cancelling)
            case .done(_, let result): DonePanel(model: model, result: result, choosing: choosing)
            case .failed(let photo, let notice):
                FailedPanel(
                    model: model, photo: photo, notice: notice, choosing: choosing, showModels: { showsModels = true })
            }
        }
        .frame(maxWidth: .infinity, alignment: .leading)
    }

    @ToolbarContentBuilder private var toolbar: some ToolbarContent {
        ToolbarItem(placement: .topBarLeading) {
            if model.state.canClose {
                Button(Words.closePhoto, systemImage: "xmark") { model.send(.close) }
            }
        }
        ToolbarItem(placement: .topBarTrailing) {
            Button(Words.modelsButton, systemImage: "slider.horizontal.3") { showsModels = true }
        }
    }
}

/// The system's share sheet.
struct ShareSheet: UIViewControllerRepresentable {
    let file: URL

    func makeUIViewController(context: Context) -> UIActivityViewController {
        UIActivityViewController(activityItems: [file], applicationActivities: nil)
    }

    func updateUIViewController(_ controller: UIActivityViewController, context: Context) {}
}
