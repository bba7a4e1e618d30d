// A queue of jobs with a limit on how many run at once.
export interface Job<T> {
  readonly id: number;
  readonly run: () => Promise<T>;
}

export class JobQueue<T> {
  private readonly waiting: Job<T>[] = [];
  private readonly results = new Map<number, T>();
  private running = 0;
  private nextId = 1;

  constructor(private readonly limit: number) {
    if (limit < 1) {
      throw new RangeError(`limit must be at least 1, not ${limit}`);
    }
  }

  get size(): number {
    return this.waiting.length + this.running;
  }

  add(run: () => Promise<T>): number {
    const job: Job<T> = { id: this.nextId++, run };
    this.waiting.push(job);
    this.startNext();
    return job.id;
  }

  result(id: number): T | undefined {
    return this.results.get(id);
  }

  private startNext(): void {
    while (this.running < this.limit && this.waiting.length > 0) {
      const job = this.waiting.shift();
      if (job === undefined) {
        return;
      }
      this.running++;
      void this.finish(job);
    }
  }

  private async finish(job: Job<T>): Promise<void> {
    try {
      const result = await job.run();
      this.results.set(job.id, result);
    } finally {
      this.running--;
      this.startNext();
    }
  }
}
