import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.List;
import java.util.ListIterator;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Handle;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;
import org.objectweb.asm.commons.GeneratorAdapter;
import org.objectweb.asm.commons.Method;
import org.objectweb.asm.tree.AbstractInsnNode;
import org.objectweb.asm.tree.ClassNode;
import org.objectweb.asm.tree.InvokeDynamicInsnNode;
import org.objectweb.asm.tree.MethodInsnNode;
import org.objectweb.asm.tree.MethodNode;

/**
 * Turns lambdas into classes: java -cp ASM Desugar.java IN.jar OUT.jar
 *
 * Libraries such as kotlin-stdlib make their lambdas with LambdaMetafactory when they run. Android does not have
 * it: Android's own compiler D8 removes such calls, and dx, which this build has instead, leaves them in, where they
 * end the app. For each of them this writes what D8 would: a class that implements the interface, keeps the captured
 * values, and calls back into the class that the lambda stands in.
 */
public final class Desugar {
    private static final String FACTORY = "java/lang/invoke/LambdaMetafactory";
    private static final int SERIALIZABLE = 1;
    private static final int MARKERS = 2;
    private static final int BRIDGES = 4;

    private final JarOutputStream out;
    private int lambdas;

    private Desugar(JarOutputStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) throws IOException {
        try (JarFile in = new JarFile(arguments[0]);
                JarOutputStream out = new JarOutputStream(Files.newOutputStream(Path.of(arguments[1])))) {
            Desugar desugar = new Desugar(out);
            for (Enumeration<JarEntry> entries = in.entries(); entries.hasMoreElements();) {
                JarEntry entry = entries.nextElement();
                byte[] bytes = in.getInputStream(entry).readAllBytes();
                desugar.write(entry.getName(), entry.getName().endsWith(".class") ? desugar.convert(bytes) : bytes);
            }
            System.out.println(desugar.lambdas + " lambdas became classes");
        }
    }

    private void write(String name, byte[] bytes) throws IOException {
        out.putNextEntry(new JarEntry(name));
        out.write(bytes);
        out.closeEntry();
    }

    /** The class without calls of the lambda factory; the classes that take their place are written. */
    private byte[] convert(byte[] bytes) throws IOException {
        ClassNode owner = new ClassNode();
        new ClassReader(bytes).accept(owner, 0);
        List<MethodNode> added = new ArrayList<>();
        for (MethodNode method : owner.methods) {
            for (ListIterator<AbstractInsnNode> i = method.instructions.iterator(); i.hasNext();) {
                AbstractInsnNode instruction = i.next();
                if (!(instruction instanceof InvokeDynamicInsnNode call)) continue;
                if (!call.bsm.getOwner().equals(FACTORY)) {
                    throw new IOException(owner.name + " calls " + call.bsm.getOwner() + ", which Android lacks");
                }
                String name = owner.name + "$$Lambda$" + added.size();
                MethodNode body = body(owner, call, added.size());
                added.add(body);
                write(name + ".class", lambda(owner, call, name, body));
                i.set(new MethodInsnNode(Opcodes.INVOKESTATIC, name, "create", call.desc, false));
            }
        }
        if (added.isEmpty()) return bytes;
        lambdas += added.size();
        owner.methods.addAll(added);
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        owner.accept(writer);
        return writer.toByteArray();
    }

    /**
     * A static method of the lambda's own class, which may call what is private there: captured values and the
     * interface's arguments in, the target's result out.
     */
    private static MethodNode body(ClassNode owner, InvokeDynamicInsnNode call, int index) {
        Handle target = (Handle) call.bsmArgs[1];
        Type instantiated = (Type) call.bsmArgs[2];
        Type[] arguments = join(Type.getArgumentTypes(call.desc), instantiated.getArgumentTypes());
        Method signature = new Method("$$lambda$" + index, instantiated.getReturnType(), arguments);
        boolean isInterface = (owner.access & Opcodes.ACC_INTERFACE) != 0;
        int access = Opcodes.ACC_STATIC | Opcodes.ACC_SYNTHETIC | (isInterface ? Opcodes.ACC_PUBLIC : 0);
        MethodNode node = new MethodNode(access, signature.getName(), signature.getDescriptor(), null, null);
        GeneratorAdapter code = new GeneratorAdapter(node, access, signature.getName(), signature.getDescriptor());

        Type holder = Type.getObjectType(target.getOwner());
        Method method = new Method(target.getName(), target.getDesc());
        Type[] parameters = method.getArgumentTypes();
        boolean constructs = target.getTag() == Opcodes.H_NEWINVOKESPECIAL;
        boolean receives = target.getTag() != Opcodes.H_INVOKESTATIC && !constructs;
        if (receives) parameters = join(new Type[] {holder}, parameters);
        if (constructs) {
            code.newInstance(holder);
            code.dup();
        }
        for (int i = 0; i < parameters.length; i++) {
            code.loadArg(i);
            convert(code, arguments[i], parameters[i]);
        }
        int opcode = switch (target.getTag()) {
            case Opcodes.H_INVOKESTATIC -> Opcodes.INVOKESTATIC;
            case Opcodes.H_INVOKEVIRTUAL -> isPrivate(owner, target) ? Opcodes.INVOKESPECIAL : Opcodes.INVOKEVIRTUAL;
            case Opcodes.H_INVOKEINTERFACE -> isPrivate(owner, target) ? Opcodes.INVOKESPECIAL : Opcodes.INVOKEINTERFACE;
            default -> Opcodes.INVOKESPECIAL;
        };
        code.visitMethodInsn(opcode, target.getOwner(), target.getName(), target.getDesc(), target.isInterface());
        convert(code, constructs ? holder : method.getReturnType(), instantiated.getReturnType());
        code.returnValue();
        code.endMethod();
        return node;
    }

    private static boolean isPrivate(ClassNode owner, Handle target) {
        return owner.name.equals(target.getOwner()) && owner.methods.stream().anyMatch(m ->
                m.name.equals(target.getName()) && m.desc.equals(target.getDesc())
                        && (m.access & Opcodes.ACC_PRIVATE) != 0);
    }

    /** The class that stands for one lambda. */
    private static byte[] lambda(ClassNode owner, InvokeDynamicInsnNode call, String name, MethodNode body) {
        Type self = Type.getObjectType(name);
        Type[] captured = Type.getArgumentTypes(call.desc);
        List<String> interfaces = new ArrayList<>(List.of(Type.getReturnType(call.desc).getInternalName()));
        List<Type> signatures = new ArrayList<>(List.of((Type) call.bsmArgs[0]));
        if (call.bsm.getName().equals("altMetafactory")) readMore(call.bsmArgs, interfaces, signatures);

        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        int access = Opcodes.ACC_FINAL | Opcodes.ACC_SUPER | Opcodes.ACC_SYNTHETIC;
        String[] implemented = interfaces.stream().distinct().toArray(String[]::new);
        writer.visit(Opcodes.V1_6, access, name, null, "java/lang/Object", implemented);
        for (int i = 0; i < captured.length; i++) {
            writer.visitField(Opcodes.ACC_PRIVATE | Opcodes.ACC_FINAL, "f" + i, captured[i].getDescriptor(), null, null);
        }
        Method constructor = new Method("<init>", Type.VOID_TYPE, captured);
        GeneratorAdapter code = new GeneratorAdapter(Opcodes.ACC_PRIVATE, constructor, null, null, writer);
        code.loadThis();
        code.invokeConstructor(Type.getType(Object.class), new Method("<init>", "()V"));
        for (int i = 0; i < captured.length; i++) {
            code.loadThis();
            code.loadArg(i);
            code.putField(self, "f" + i, captured[i]);
        }
        code.returnValue();
        code.endMethod();

        code = new GeneratorAdapter(Opcodes.ACC_STATIC, new Method("create", call.desc), null, null, writer);
        code.newInstance(self);
        code.dup();
        code.loadArgs();
        code.invokeConstructor(self, constructor);
        code.returnValue();
        code.endMethod();

        Method target = new Method(body.name, body.desc);
        Type[] wanted = target.getArgumentTypes();
        boolean isInterface = (owner.access & Opcodes.ACC_INTERFACE) != 0;
        for (Type signature : signatures.stream().distinct().toList()) {
            Method method = new Method(call.name, signature.getDescriptor());
            code = new GeneratorAdapter(Opcodes.ACC_PUBLIC, method, null, null, writer);
            for (int i = 0; i < captured.length; i++) {
                code.loadThis();
                code.getField(self, "f" + i, captured[i]);
            }
            for (int i = 0; i < method.getArgumentTypes().length; i++) {
                code.loadArg(i);
                convert(code, method.getArgumentTypes()[i], wanted[captured.length + i]);
            }
            code.visitMethodInsn(Opcodes.INVOKESTATIC, owner.name, body.name, body.desc, isInterface);
            convert(code, target.getReturnType(), method.getReturnType());
            code.returnValue();
            code.endMethod();
        }
        writer.visitEnd();
        return writer.toByteArray();
    }

    /** What altMetafactory adds: more interfaces, and more signatures of the one method. */
    private static void readMore(Object[] arguments, List<String> interfaces, List<Type> signatures) {
        int place = 3;
        int flags = (Integer) arguments[place++];
        if ((flags & SERIALIZABLE) != 0) interfaces.add("java/io/Serializable");
        if ((flags & MARKERS) != 0) {
            for (int left = (Integer) arguments[place++]; left > 0; left--) {
                interfaces.add(((Type) arguments[place++]).getInternalName());
            }
        }
        if ((flags & BRIDGES) != 0) {
            for (int left = (Integer) arguments[place++]; left > 0; left--) signatures.add((Type) arguments[place++]);
        }
    }

    /** As LambdaMetafactory does: boxes, unboxes, widens and casts the value on the stack. */
    private static void convert(GeneratorAdapter code, Type from, Type to) {
        if (from.equals(to)) return;
        if (to.getSort() == Type.VOID) {
            if (from.getSize() == 2) code.pop2(); else code.pop();
        } else if (isPrimitive(from) && isPrimitive(to)) {
            code.cast(from, to);
        } else if (isPrimitive(from)) {
            code.valueOf(from);
        } else if (isPrimitive(to)) {
            code.unbox(to);
        } else if (!to.equals(Type.getType(Object.class))) {
            code.checkCast(to);
        }
    }

    private static boolean isPrimitive(Type type) {
        return type.getSort() != Type.OBJECT && type.getSort() != Type.ARRAY;
    }

    private static Type[] join(Type[] first, Type[] second) {
        Type[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }
}
