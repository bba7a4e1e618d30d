// Which types the types of an assembly mention: in signatures, bases, attributes and method bodies. Reads metadata only;
// what the compiler leaves no trace of (constants, nameof) is not seen.
using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace LlmAssist.Tests.Architecture;

/// <summary>That a type mentions another. Nested types count as the outermost type around them.</summary>
/// <param name="Member">The member that is used, or empty where only the type is named.</param>
internal readonly record struct TypeReference(string FromNamespace, string FromType, string ToNamespace, string ToType, string Member);

internal static class TypeReferences
{
    private static readonly OperandType[] OneByteOperands = OperandsOf(prefix: 0);
    private static readonly OperandType[] TwoByteOperands = OperandsOf(prefix: 0xFE);

    /// <summary>What the assembly in the file <paramref name="path"/> mentions, its own types included.</summary>
    public static IReadOnlySet<TypeReference> In(string path)
    {
        using var file = new PEReader(File.OpenRead(path));
        var metadata = file.GetMetadataReader();
        var found = new HashSet<TypeReference>();
        foreach (var handle in metadata.TypeDefinitions)
        {
            var (space, name) = NameOf(metadata, handle);
            var mentions = new Mentions(metadata, (toSpace, toName, member) => found.Add(new(space, name, toSpace, toName, member)));
            VisitType(metadata.GetTypeDefinition(handle), metadata, file, mentions);
        }

        return found;
    }

    private static void VisitType(TypeDefinition type, MetadataReader metadata, PEReader file, Mentions mentions)
    {
        mentions.Visit(type.BaseType);
        foreach (var handle in type.GetInterfaceImplementations())
        {
            mentions.Visit(metadata.GetInterfaceImplementation(handle).Interface);
        }

        VisitGenerics(type.GetGenericParameters(), metadata, mentions);
        VisitAttributes(type.GetCustomAttributes(), metadata, mentions);
        foreach (var handle in type.GetFields())
        {
            var field = metadata.GetFieldDefinition(handle);
            field.DecodeSignature(mentions, null);
            VisitAttributes(field.GetCustomAttributes(), metadata, mentions);
        }

        foreach (var handle in type.GetProperties())
        {
            VisitAttributes(metadata.GetPropertyDefinition(handle).GetCustomAttributes(), metadata, mentions);
        }

        foreach (var handle in type.GetMethods())
        {
            var method = metadata.GetMethodDefinition(handle);
            method.DecodeSignature(mentions, null);
            VisitGenerics(method.GetGenericParameters(), metadata, mentions);
            VisitAttributes(method.GetCustomAttributes(), metadata, mentions);
            foreach (var parameter in method.GetParameters())
            {
                VisitAttributes(metadata.GetParameter(parameter).GetCustomAttributes(), metadata, mentions);
            }

            if (method.RelativeVirtualAddress != 0)
            {
                VisitBody(file.GetMethodBody(method.RelativeVirtualAddress), mentions);
            }
        }
    }

    private static void VisitGenerics(GenericParameterHandleCollection parameters, MetadataReader metadata, Mentions mentions)
    {
        foreach (var parameter in parameters)
        {
            foreach (var constraint in metadata.GetGenericParameter(parameter).GetConstraints())
            {
                mentions.Visit(metadata.GetGenericParameterConstraint(constraint).Type);
            }
        }
    }

    private static void VisitAttributes(CustomAttributeHandleCollection attributes, MetadataReader metadata, Mentions mentions)
    {
        foreach (var attribute in attributes)
        {
            mentions.Visit(metadata.GetCustomAttribute(attribute).Constructor);
        }
    }

    private static void VisitBody(MethodBodyBlock body, Mentions mentions)
    {
        mentions.Visit(body.LocalSignature);
        foreach (var region in body.ExceptionRegions)
        {
            mentions.Visit(region.CatchType);
        }

        var code = body.GetILReader();
        while (0 < code.RemainingBytes)
        {
            // ECMA-335 III.1.9: one byte, or two of which the first is 0xFE, then the operand.
            var first = code.ReadByte();
            var operand = first == 0xFE ? TwoByteOperands[code.ReadByte()] : OneByteOperands[first];
            switch (operand)
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType or OperandType.InlineSig:
                    mentions.Visit(MetadataTokens.EntityHandle(code.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    // Read first: the left side of a compound assignment would be read before it.
                    var targets = code.ReadInt32();
                    code.Offset += sizeof(int) * targets;
                    break;
                default:
                    code.Offset += SizeOf(operand);
                    break;
            }
        }
    }

    private static int SizeOf(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineBrTarget or OperandType.InlineI or OperandType.InlineString or OperandType.ShortInlineR => 4,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => throw new InvalidOperationException($"An operand of kind {operand} is not known."),
    };

    private static OperandType[] OperandsOf(int prefix)
    {
        var operands = new OperandType[256];
        foreach (var field in typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static))
        {
            var code = (OpCode)field.GetValue(null)!;
            if ((ushort)code.Value >> 8 == prefix)
            {
                operands[(byte)code.Value] = code.OperandType;
            }
        }

        return operands;
    }

    private static (string Namespace, string Name) NameOf(MetadataReader metadata, TypeDefinitionHandle handle)
    {
        var type = metadata.GetTypeDefinition(handle);
        while (!type.GetDeclaringType().IsNil)
        {
            type = metadata.GetTypeDefinition(type.GetDeclaringType());
        }

        return (metadata.GetString(type.Namespace), metadata.GetString(type.Name));
    }

    private static (string Namespace, string Name) NameOf(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        while (type.ResolutionScope.Kind == HandleKind.TypeReference)
        {
            type = metadata.GetTypeReference((TypeReferenceHandle)type.ResolutionScope);
        }

        return (metadata.GetString(type.Namespace), metadata.GetString(type.Name));
    }

    /// <summary>Follows handles and signatures down to the types they name, and reports each.</summary>
    private sealed class Mentions(MetadataReader metadata, Action<string, string, string> report) : ISignatureTypeProvider<int, object?>
    {
        public void Visit(EntityHandle handle, string member = "")
        {
            if (handle.IsNil)
            {
                return;
            }

            switch (handle.Kind)
            {
                case HandleKind.TypeDefinition:
                    Report(NameOf(metadata, (TypeDefinitionHandle)handle), member);
                    break;
                case HandleKind.TypeReference:
                    Report(NameOf(metadata, (TypeReferenceHandle)handle), member);
                    break;
                case HandleKind.TypeSpecification:
                    metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null);
                    break;
                case HandleKind.FieldDefinition:
                    var field = metadata.GetFieldDefinition((FieldDefinitionHandle)handle);
                    Visit(field.GetDeclaringType(), metadata.GetString(field.Name));
                    break;
                case HandleKind.MethodDefinition:
                    var method = metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                    Visit(method.GetDeclaringType(), metadata.GetString(method.Name));
                    break;
                case HandleKind.MemberReference:
                    var reference = metadata.GetMemberReference((MemberReferenceHandle)handle);
                    Visit(reference.Parent, metadata.GetString(reference.Name));
                    if (reference.GetKind() == MemberReferenceKind.Method)
                    {
                        reference.DecodeMethodSignature(this, null);
                    }
                    else
                    {
                        reference.DecodeFieldSignature(this, null);
                    }

                    break;
                case HandleKind.MethodSpecification:
                    var specification = metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                    Visit(specification.Method);
                    specification.DecodeSignature(this, null);
                    break;
                case HandleKind.StandaloneSignature:
                    var signature = metadata.GetStandaloneSignature((StandaloneSignatureHandle)handle);
                    if (signature.GetKind() == StandaloneSignatureKind.LocalVariables)
                    {
                        signature.DecodeLocalSignature(this, null);
                    }
                    else
                    {
                        signature.DecodeMethodSignature(this, null);
                    }

                    break;
                default:
                    throw new InvalidOperationException($"A {handle.Kind} is not expected where types are named.");
            }
        }

        public int GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) => Report(NameOf(reader, handle), "");

        public int GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => Report(NameOf(reader, handle), "");

        public int GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

        // All that these are made of was reported when its part was decoded.
        public int GetArrayType(int elementType, ArrayShape shape) => 0;

        public int GetByReferenceType(int elementType) => 0;

        public int GetFunctionPointerType(MethodSignature<int> signature) => 0;

        public int GetGenericInstantiation(int genericType, ImmutableArray<int> typeArguments) => 0;

        public int GetGenericMethodParameter(object? genericContext, int index) => 0;

        public int GetGenericTypeParameter(object? genericContext, int index) => 0;

        public int GetModifiedType(int modifier, int unmodifiedType, bool isRequired) => 0;

        public int GetPinnedType(int elementType) => 0;

        public int GetPointerType(int elementType) => 0;

        public int GetPrimitiveType(PrimitiveTypeCode typeCode) => 0;

        public int GetSZArrayType(int elementType) => 0;

        private int Report((string Namespace, string Name) type, string member)
        {
            report(type.Namespace, type.Name, member);
            return 0;
        }
    }
}
