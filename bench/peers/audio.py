from arrays import read, write


class Transform:
    def __init__(self, q):
        import torchaudio
        self.x = read(f"{q['dir']}/input", -1)
        self.transform = self.make(torchaudio.transforms, q)

    def run(self):
        return self.transform(self.x)

    def gradients(self, folder):
        write(f"{folder}/output", self.output())


class Mfcc(Transform):
    def make(self, transforms, q):
        return transforms.MFCC(sample_rate=16000, n_mfcc=20, melkwargs={"n_mels": 64})

    def output(self):
        return self.run().T


class Resample(Transform):
    def make(self, transforms, q):
        return transforms.Resample(q["from"], q["to"])

    def output(self):
        return self.run()
