// Whether other extensions fill the suggestion list of a language. Where they do, ours would only repeat them.

export class OtherLists<Place> {
  private readonly _known = new Map<string, { fill: boolean; asked: number }>();

  /**
   * @param _look looks into the list without ours
   * @param _now milliseconds of a clock that never goes back
   */
  constructor(private readonly _look: (place: Place) => Promise<boolean>, private readonly _now: () => number) {}

  /**
   * Whether they do, as far as is known. The first question about a language finds out, for the ones that follow: a name
   * twice for once is better than an empty list.
   */
  fill(language: string, place: Place): boolean {
    const known = this._known.get(language);
    // A server that fills the list may still be starting, so that a no is not for ever.
    if (known === undefined || (!known.fill && lookAgain <= this._now() - known.asked)) {
      const answer = { fill: false, asked: this._now() };
      this._known.set(language, answer);
      this._look(place).then((fill) => {
        answer.fill = fill;
      }, () => {
        // Whoever failed there will tell by itself.
      });
      return answer.fill;
    }

    return known.fill;
  }
}

const lookAgain = 60_000;
