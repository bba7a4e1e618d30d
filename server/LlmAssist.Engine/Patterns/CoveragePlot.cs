// How often suggestions are right against how often there are any, as one picture. Text in, text out: reads no files.
using System.Globalization;
using System.Security;
using System.Text;

namespace LlmAssist.Engine.Patterns;

/// <summary>Draws <see cref="Evaluation.Coverage"/>.</summary>
public static class CoveragePlot
{
    // In units of the picture, which are pixels at its natural size.
    private const double Width = 640;
    private const double Height = 470;
    private const double Left = 62;
    private const double Right = 614;
    private const double Top = 78;
    private const double Bottom = 402;

    private static readonly double[] Named = [0.3, 0.5, 0.7, 0.9];

    /// <summary>A self-contained SVG document of some KB.</summary>
    /// <param name="evaluation">What was measured.</param>
    /// <param name="name">On what.</param>
    /// <param name="speech">The language of its texts.</param>
    public static string Svg(Evaluation evaluation, string name, Speech speech)
    {
        var svg = new StringBuilder();
        var title = new Phrase("Rest of the line: precision against coverage", "Resto de la línea: precisión frente a cobertura").In(speech);
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" width="{Width}" height="{Height}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif" font-size="12" fill="#1f2328">""");
        Add($"<title>{title}, {Escaped(name)}</title>");
        Add($"""<rect x="0.5" y="0.5" width="{Width - 1}" height="{Height - 1}" rx="8" fill="#ffffff" stroke="#d0d7de"/>""");
        Add($"""<text x="16" y="28" font-size="16" font-weight="600">{title}</text>""");
        var what = new Phrase($"{Escaped(name)}, {evaluation.Line.Places} places in files that the model has not seen", $"{Escaped(name)}, {evaluation.Line.Places} lugares en archivos que el modelo no ha visto").In(speech);
        Add($"""<text x="16" y="48" fill="#57606a">{what}</text>""");
        for (var tenth = 0; tenth <= 10; tenth += 2)
        {
            var share = tenth / 10.0;
            Add($"""<path d="M{Left} {Y(share)}H{Right}" stroke="{(tenth == 0 ? "#57606a" : "#eaeef2")}"/><text x="{Left - 8}" y="{Y(share) + 4}" text-anchor="end" fill="#57606a">{tenth * 10} %</text>""");
            Add($"""<path d="M{X(share)} {Bottom}v5" stroke="#57606a"/><text x="{X(share)}" y="{Bottom + 19}" text-anchor="middle" fill="#57606a">{tenth * 10} %</text>""");
        }

        Add($"""<text x="{Left}" y="{Top - 10}" fill="#57606a">{new Phrase("of what is shown, entirely right", "de lo mostrado, del todo correcto").In(speech)}</text>""");
        Add($"""<text x="{Right}" y="{Bottom + 40}" text-anchor="end" fill="#57606a">{new Phrase("of all places, something is shown", "de todos los lugares, se muestra algo").In(speech)}</text>""");
        var points = evaluation.Coverage.Where(static point => 0 < point.Coverage).ToList();
        if (1 < points.Count)
        {
            Add($"""<path d="M{string.Join('L', points.Select(static point => Place(point)))}" fill="none" stroke="#0072b2" stroke-width="2"/>""");
        }

        foreach (var point in points.Where(static point => Named.Contains(point.Confidence)))
        {
            var from = new Phrase($"from confidence {point.Confidence:0.0} on", $"desde confianza {point.Confidence:0.0}").In(speech);
            Add($"""<circle cx="{X(point.Coverage)}" cy="{Y(point.Precision)}" r="4" fill="#0072b2"><title>{from}: {point.Precision:P0}, {point.Coverage:P0}</title></circle>""");
            Add($"""<text x="{X(point.Coverage) - 7}" y="{Y(point.Precision) + 14}" text-anchor="end">{point.Confidence:0.0}</text>""");
        }

        svg.Append("</svg>\n");
        return svg.ToString();

        void Add(FormattableString line) => svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Place(CoverageFigures point) => string.Create(CultureInfo.InvariantCulture, $"{X(point.Coverage)} {Y(point.Precision)}");

    private static double X(double share) => Math.Round(Left + (share * (Right - Left)), 1);

    private static double Y(double share) => Math.Round(Bottom - (share * (Bottom - Top)), 1);

    // Folders can have any name; what is no character of XML is a blank.
    private static string Escaped(string text) => SecurityElement.Escape(string.Concat(text.Select(static character => char.IsControl(character) || character >= '\ufffe' ? ' ' : character)));
}
