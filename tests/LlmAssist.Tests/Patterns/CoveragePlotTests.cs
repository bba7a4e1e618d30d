using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using LlmAssist.Engine;
using LlmAssist.Engine.Patterns;

namespace LlmAssist.Tests.Patterns;

public sealed class CoveragePlotTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Theory]
    [InlineData(Speech.English, "Rest of the line: precision against coverage", "of what is shown, entirely right", "0.5", "0.9", "100 %")]
    [InlineData(Speech.Spanish, "Resto de la línea: precisión frente a cobertura", "de lo mostrado, del todo correcto", "0.5", "0.9", "100 %")]
    public void Names_what_it_shows(Speech speech, params string[] expected)
    {
        var texts = Draw("shop", speech, (0, 1, 0.4), (0.5, 0.5, 0.6), (0.9, 0.1, 0.9)).Descendants(Svg + "text").Select(static text => text.Value).ToList();
        Assert.All(expected, text => Assert.Contains(text, texts));
        Assert.Contains(texts, static text => text.StartsWith("shop, 40 ", StringComparison.Ordinal));
    }

    [Fact]
    public void Surer_suggestions_lie_to_the_left_and_better_ones_higher()
    {
        var marks = Draw("shop", Speech.English, (0.5, 0.5, 0.6), (0.9, 0.1, 0.9)).Descendants(Svg + "circle").ToList();
        Assert.Equal(2, marks.Count);
        Assert.True(At(marks[1], "cx") < At(marks[0], "cx"));
        Assert.True(At(marks[1], "cy") < At(marks[0], "cy"));
    }

    [Theory]
    [InlineData("<script>alert('&')</script>")]
    [InlineData("\"onload=\"x")]
    [InlineData("a\u0001b", "a b")]
    public void A_name_of_a_folder_is_text(string name, string? shown = null)
    {
        var drawing = Draw(name, Speech.English);
        Assert.Empty(drawing.Descendants(Svg + "script"));
        Assert.Contains(shown ?? name, drawing.Descendants(Svg + "title").First().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_shown_is_no_point() => Assert.Empty(Draw("shop", Speech.English, (0.5, 0, 0), (0.9, 0, 0)).Descendants(Svg + "circle"));

    private static double At(XElement mark, string side) => double.Parse(mark.Attribute(side)!.Value, CultureInfo.InvariantCulture);

    private static XDocument Draw(string name, Speech speech, params (double Confidence, double Coverage, double Precision)[] points)
    {
        var evaluation = JsonSerializer.Deserialize(
            """{"tokens":0,"top1":0,"top5":0,"mrr":0,"bitsPerToken":0,"identifier":null,"line":{"places":40,"exact":0,"similarity":0,"shownAt70Precision":0},"keystrokes":null,"word":null,"speed":null,"size":null,"calibration":[],"coverage":[],"perLanguage":[]}""",
            EvaluationJson.Default.Evaluation)!;
        return XDocument.Parse(CoveragePlot.Svg(evaluation with { Coverage = [.. points.Select(static point => new CoverageFigures(point.Confidence, point.Coverage, point.Precision))] }, name, speech));
    }
}
