// What is a secret and what only looks odd. Every key here is made up; those in a provider's shape are put together here,
// so that no scanner takes this file for a leak.
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Tests.Patterns;

public sealed class SecretFilterTests
{
    public static TheoryData<string> Secrets =>
    [
        // Prefixes of providers.
        "AKIA" + "QX7EXAMPLE42TEST",
        "ASIA" + "QX7EXAMPLE42TEST",
        "\"AIza" + "SyFAKEfake0123456789fakeFAKE0123456\"",
        "ghp_" + "FAKE0fake1FAKE2fake3FAKE4fake5FAKE6f",
        "gho_" + "FAKE0fake1FAKE2fake3FAKE4fake5FAKE6f",
        "github_pat_" + "11FAKE0fake1FAKE2fake3_FAKE4fake5",
        "glpat-" + "fake0FAKE1fake2FAKE3",
        "'xoxb-" + "123456789012-fakefakefake'",
        "xapp-" + "1-FAKE0123-fakefakefake",
        "sk-" + "proj-fake0FAKE1fake2FAKE3",
        "sk_live_" + "fake0FAKE1fake2FAKE3",
        "rk_test_" + "fake0FAKE1fake2FAKE3",
        "npm_" + "fake0FAKE1fake2FAKE3fake4FAKE5fake6F",
        "pypi-" + "fake0FAKE1fake2FAKE3fake4FAKE5",
        "hf_" + "fake0FAKE1fake2FAKE3fake4",
        "whsec_" + "fake0FAKE1fake2FAKE3",
        "SG." + "fake0FAKE1fake2FAKE3ff.fake0FAKE1fake2FAKE3fake4FAKE5",
        "ya29." + "fake0FAKE1fake2FAKE3fake",
        "dop_v1_" + "00fake11fake22fake33fake",
        "shpat_" + "00fake11fake22fake33",
        "eyJ" + "hbGciOiJub25lIn0." + "eyJ" + "zdWIiOiJmYWtlIn0.",
        "const token = \"eyJ" + "hbGciOiJmYWtlMTIzIn0\"",

        // Runs that only chance makes.
        "\"d41d8cd98f00b204" + "e9800998ecf8427e\"",
        "0x9f86d081884c7d65" + "9a2feaa0c55ad015a3bf4f1b2b0b822c",
        "'aB3dE9fG1hJ7kL2m" + "N8pQ4rS6'",
        "\"Zm9vYmFyMTIzNDU2" + "Nzg5MGFiY2RlZmdoaWprbG1ub3A=\"",
        "q7Rt2Xv9Lp4Wm8Kz" + "3Bn6",
        "8f3k2l9x7q1m5n4p" + "6r0t",
        "K7DM3NG9PX2RF4CY" + "6EX8",
        "sha512-q7Rt2Xv9Lp4W/m8Kz" + "3Bn6+aB3dE9fG1hJ7kL2mN8pQ4rS6==",
        "`Token is q7Rt2Xv9Lp4Wm8Kz" + "3Bn6 today`",

        // Places of passwords.
        "\"postgres://shop:hunter2" + "@db.example.com:5432/shop\"",
        "https://bot:fake-pass" + "@git.example.com/a.git",
        "\"Server=db;User Id=sa;Password=" + "hunter2!;Encrypt=true\"",
        "\"AccountKey=" + "fakefake0123==\"",
        "\"Authorization: Bearer " + "fake0fake1fake2fake3\"",
        "\"Basic " + "ZmFrZTpmYWtlMTIzNDU2\"",
        "\"-----BEGIN RSA PRIVATE" + " KEY-----\\nFAKEfakeFAKEfakeFAKEfakeFAKEfakeFAKE0123\\n\"",
    ];

    public static TheoryData<string> Harmless =>
    [
        "",
        "\"\"",
        "\"x\"",
        "getUserByIdAndTenantName",
        "XMLHttpRequestUploadProgressEvent",
        "AES256CbcPkcs7PaddingMode",
        "convertIso8859_1ToUtf8String",
        "sha256WithRSAEncryption",
        "MAXIMUM_CONNECTION_POOL_SIZE_2",
        "test_that_user_2_can_not_see_page_3",
        "V4L2_DV_BT_CEA_1920X1080P25",
        "nvvm_tex_2d_v4s32_f32_x2",
        "x86_64-unknown-linux-gnu-2024",
        "\"550e8400-e29b-41d4-a716-446655440000\"",
        "\"{A0E1B2C3-0000-4000-8000-000000000001}\"",
        "\"2024-11-20T20:33:00.000Z\"",
        "\"https://example.com:8080/api/v2/users/42?sort=name&page=3\"",
        "\"https://fonts.googleapis.com/css2?family=Roboto:wght@400;700\"",
        "\"/usr/share/dotnet/sdk/10.0.401/Roslyn/bincore/csc.dll\"",
        "\"C:\\\\Users\\\\Ana2\\\\Documents\\\\Project3\\\\Main.cs\"",
        "\"../../node_modules/@types/node/fs/promises\"",
        "\"SELECT id, name FROM orders WHERE id = @p0 AND total >= 100\"",
        "\"The quick brown fox jumps over 13 lazy dogs.\"",
        "\"Found {0} errors in {1:N2} ms; expected at most {2}.\"",
        "\"%-20s %08.3f %s\\n\"",
        "\"postgres://{user}:{password}@{host}/db\"",
        "\"https://$USER:$TOKEN@example.com\"",
        "\"Password={0};User Id={1}\"",
        "\"password = required, at least 8 letters\"",
        "\"Bearer {token}\"",
        "\"Authorization: Bearer <your token here>\"",
        "\"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/\"",
        "\"application/vnd.openxmlformats-officedocument.wordprocessingml.document\"",
        "\"Microsoft.Extensions.DependencyInjection.Abstractions, Version=10.0.0.0\"",
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
        "\"0000000000000000000000000000000000000000\"",
        "0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        "3.14159265358979323846264338327950288",
        "1_000_000_000_000_000",
        "\"sk-learn-classifier-pipeline-example\"",
        "\"btn btn-primary btn-lg col-md-6 mt-4 px-2 rounded-3xl\"",
        "\"M12 2C6.48 2 2 6.48 2 12s4.48 10 10 10 10-4.48 10-10S17.52 2 12 2z\"",
        "\"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\\\\.[a-zA-Z]{2,}$\"",
        "\"-----BEGIN RSA PRIVATE KEY-----\"",
        "\"-----BEGIN CERTIFICATE-----\"",
        "\"#include <sys/socket.h>\"",
        "\"¿Cuántos años tienes? Tengo 42 años.\"",
    ];

    [Theory, MemberData(nameof(Secrets))]
    public void Secrets_are_seen(string literal) => Assert.True(SecretFilter.IsSecretLiteral(literal));

    [Theory, MemberData(nameof(Harmless))]
    public void Ordinary_code_is_let_through(string literal) => Assert.False(SecretFilter.IsSecretLiteral(literal));

    // What the thresholds were set for: nearly all random keys are seen.
    [Theory]
    [InlineData("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 24, 0.9)]
    [InlineData("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 40, 0.98)]
    [InlineData("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 44, 0.94)]
    [InlineData("abcdefghijklmnopqrstuvwxyz0123456789", 32, 0.9)]
    [InlineData("0123456789abcdef", 32, 0.999)]
    public void Random_keys_are_seen(string alphabet, int length, double leastShare)
    {
        const int Keys = 2_000;
        var random = new Random(21);
        var seen = 0;
        for (var count = 0; count < Keys; count++)
        {
            seen += SecretFilter.IsSecretLiteral(new string(random.GetItems<char>(alphabet, length))) ? 1 : 0;
        }

        Assert.True(leastShare * Keys <= seen, $"{seen} of {Keys}");
    }

    [Theory]
    [InlineData(".env", true)]
    [InlineData("app/.env.production", true)]
    [InlineData("prod.env", true)]
    [InlineData(".ENV.local", true)]
    [InlineData(".env.example", false)]
    [InlineData("src/environment.ts", false)]
    [InlineData("certs/server.pem", true)]
    [InlineData("server.key", true)]
    [InlineData("signing.pfx", true)]
    [InlineData("store.p12", true)]
    [InlineData("home/.ssh/id_rsa", true)]
    [InlineData("id_ed25519.pub", true)]
    [InlineData("id_rsa_parser.py", true)]
    [InlineData("src/id_rsax.py", false)]
    [InlineData(".npmrc", true)]
    [InlineData(".netrc", true)]
    [InlineData(".pypirc", true)]
    [InlineData("kubeconfig", true)]
    [InlineData("home/.kube/config", true)]
    [InlineData("C:\\Users\\a\\.aws\\credentials", true)]
    [InlineData("credentials.json", true)]
    [InlineData("client_secret_42.json", true)]
    [InlineData("infra/prod.tfvars", true)]
    [InlineData("terraform.tfstate", true)]
    [InlineData("src/credentials.ts", false)]
    [InlineData("src/Secrets.cs", false)]
    [InlineData("src/keyboard.cs", false)]
    [InlineData("config.json", false)]
    [InlineData("git/config", false)]
    [InlineData("keys.py", false)]
    public void Names_tell_secret_files(string path, bool isSecret) => Assert.Equal(isSecret, SecretFilter.IsSecretFile(path));

    [Theory]
    [InlineData("-----BEGIN PRIVATE" + " KEY-----\nMIIfakefakefakefakefakefakefakefake0123\n-----END PRIVATE KEY-----", true)]
    [InlineData("text before\n-----BEGIN EC PRIVATE" + " KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIfakefakefakefakefakefakefakefake0123", true)]
    [InlineData("-----BEGIN PGP PRIVATE" + " KEY BLOCK-----\n\nfakefakefakefakefakefakefakefake0123", true)]
    [InlineData("-----BEGIN OPENSSH PRIVATE" + " KEY-----\\nfakefakefakefakefakefakefakefakefake", true)]
    [InlineData("if (line == \"-----BEGIN PRIVATE KEY-----\") { return ReadKey(); }", false)]
    [InlineData("-----BEGIN PUBLIC KEY-----\nMIIfakefakefakefakefakefakefakefake0123", false)]
    [InlineData("-----BEGIN ", false)]
    [InlineData("-----BEGIN CERTIFICATE-----\nfakefakefakefakefakefakefakefakefake\n-----BEGIN PRIVATE" + " KEY-----\nfakefakefakefakefakefakefakefakefake", true)]
    public void Private_keys_are_seen_in_text(string text, bool holds) => Assert.Equal(holds, SecretFilter.HoldsPrivateKey(text));
}
