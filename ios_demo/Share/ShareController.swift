import AnyIRState
import Foundation
import UIKit
import UniformTypeIdentifiers

/// The share extension: copies the photo that another app shares to where AnyIR finds it, and says so. An extension
/// cannot open its app, and has too little memory to restore a photo itself.
final class ShareController: UIViewController {
    override func viewDidAppear(_ animated: Bool) {
        super.viewDidAppear(animated)
        Task {
            let items = extensionContext?.inputItems.compactMap { $0 as? NSExtensionItem } ?? []
            let container = FileManager.default.containerURL(
                forSecurityApplicationGroupIdentifier: Handover.group)
            let isThere = await Self.hand(items, to: container.map(Handover.init(container:)))
            say(isThere ? ShareWords.opened : ShareWords.notTaken)
        }
    }

    /// Hands the first photo over.
    ///
    /// - Parameter handover: nil where the app group is not among the build's entitlements
    /// - Returns: whether it is there
    static func hand(_ items: [NSExtensionItem], to handover: Handover?) async -> Bool {
        let type = UTType.image.identifier
        let providers = items.flatMap { $0.attachments ?? [] }
        guard let handover, let photo = providers.first(where: { $0.hasItemConformingToTypeIdentifier(type) }) else {
            return false
        }
        return await withCheckedContinuation { continuation in
            _ = photo.loadFileRepresentation(forTypeIdentifier: type) { file, _ in
                // The system deletes the file when this returns.
                let left: Void? = file.flatMap { try? handover.leave($0) }
                continuation.resume(returning: left != nil)
            }
        }
    }

    private func say(_ text: String) {
        let alert = UIAlertController(title: "AnyIR", message: text, preferredStyle: .alert)
        alert.addAction(
            UIAlertAction(title: ShareWords.done, style: .default) { [weak self] _ in
                self?.extensionContext?.completeRequest(returningItems: nil, completionHandler: nil)
            })
        present(alert, animated: true, completion: nil)
    }
}
