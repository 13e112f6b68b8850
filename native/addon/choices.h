#pragma once

#include <map>
#include <string>

#include "addon/settings.h"

namespace sonospike {

/// The names of a choice in settings (lib/settings/choices.ts), and what the core knows them as.
template <typename T>
using Choices = std::map<std::string, T>;

inline const Choices<FeatureKind> kFrontEnds{{"mfcc", FeatureKind::kMfcc}, {"log-mel", FeatureKind::kLogMel}};
inline const Choices<ScalingKind> kScalings{{"min-max", ScalingKind::kMinMax},
                                            {"standard", ScalingKind::kStandard},
                                            {"peak", ScalingKind::kPeak},
                                            {"none", ScalingKind::kNone}};
/// Whether the statistics are those of the training set.
inline const Choices<bool> kScaledOver{{"clip", false}, {"training-set", true}};
inline const Choices<EncodingKind> kEncodings{{"rate", EncodingKind::kRate},
                                              {"latency", EncodingKind::kLatency},
                                              {"delta", EncodingKind::kDelta},
                                              {"direct", EncodingKind::kDirect}};
inline const Choices<ConnectionKind> kConnections{{"dense", ConnectionKind::kDense},
                                                  {"convolution", ConnectionKind::kConvolution}};
enum class NeuronKind { kLif, kAdaptive, kRelu };
inline const Choices<NeuronKind> kNeurons{
    {"lif", NeuronKind::kLif}, {"adaptive", NeuronKind::kAdaptive}, {"relu", NeuronKind::kRelu}};
/// Whether spikes are hard.
inline const Choices<bool> kSpikes{{"hard", true}, {"soft", false}};
inline const Choices<SpikeKind> kSurrogates{{"fast-sigmoid", SpikeKind::kFastSigmoid},
                                            {"atan", SpikeKind::kAtan},
                                            {"triangle", SpikeKind::kTriangle},
                                            {"boxcar", SpikeKind::kBoxcar},
                                            {"sigmoid", SpikeKind::kSigmoid}};
inline const Choices<ResetKind> kResets{{"zero", ResetKind::kZero}, {"subtract", ResetKind::kSubtract}};
inline const Choices<ReadoutKind> kReadouts{{"spike-count", ReadoutKind::kSpikeCount},
                                            {"leaky-integrator", ReadoutKind::kLeakyIntegrator},
                                            {"mean-potential", ReadoutKind::kMeanPotential}};
/// Whether weight decay is decoupled from the gradient.
inline const Choices<bool> kOptimizers{{"adam", false}, {"adamw", true}};
inline const Choices<ScheduleKind> kSchedules{{"constant", ScheduleKind::kConstant},
                                              {"cosine", ScheduleKind::kCosine},
                                              {"one-cycle", ScheduleKind::kOneCycle}};

}  // namespace sonospike
