"""Words that say nothing about a person: cleaning does not cut them, verification does not look for them.

One list for both. All words are folded (``folding.fold``): lower case, without accents, ß as ss.
"""

from __future__ import annotations

_TITLES = (
    "dr md prof professor jr sr mr mrs ms miss phd msc bsc ii iii iv med dipl rer habil doc doctor pd univ "
    "herr frau mme mlle monsieur madame dott dra senor senora"
)
TITLES = frozenset(_TITLES.split())
"""Forms of address, degrees and what else stands beside a name."""

_NAMELESS = (
    "anon anonymous anonym anonymized anonymised anonymisiert anonyme deidentified redacted removed "
    "unknown unbekannt inconnu none null nil patient test phantom yes"
)
NOT_IDENTIFYING = TITLES | frozenset(_NAMELESS.split())
"""Titles, and what stands where a name was taken out: no identifiers on their own."""

_PARTICLES = (
    "al el de da di du del della des dos la le las los van von vom zu zum zur der den ten ter bin ibn"
)
PARTICLES = frozenset(_PARTICLES.split())
"""Parts of names of several words that are words of a language, too: not looked for on their own."""

_COMMON = """
    abdomen abdominal acquired acquisition adc addendum adult age algorithm analysis and angio
    angiography ankle annotation anterior aorta aortic are arm arms arterial artery aufnahme auge auto
    avec average axial axis background baseline becken befund bein bilateral bild biopsy body bold bolus
    bone bones bowel brain brainstem bras brazo breast brust bypass cabeza cadera calibration cardiac
    cardio care carotid cerebral cerebro cerebrum cerveau cervical chest cheville child clinic clinical
    clinician clip codo coil color colour columna comparison complete compressed compression con
    contrast control cor corazon corona coronal coronary corrected correction cortex cou coude cranial
    cranium cta cuello data dataset default delay delayed dense density derecha derecho derived detail
    device diag diagnosis diagnostic did diffusion digital disc disk display does doppler dos dose dosis
    droit droite druse dsa dti dual dynamic echo edema effusion elbow emergency enhanced epaule epi
    estudio exam examen examination exposure extremity eye eyes false fast fat feet female femoral femur
    fibula film filter final finding findings finger first flair flow fluid fluoro fluoroscopy fmri foie
    follow followup foot for forearm fov fracture frame frames from frontal full func functional fundus
    fusion fuss gated gating gauche gehirn gelenk general genou gradient gross group gyrus hals
    halswirbel hanche has head heart height hemorrhage higado hip hips hirn history hopital hospital
    hufte humerus icon iliac image images imaging implant infant inferior inflow initial inpatient
    institute institution interior internal interpretation intervention intestine iso isocenter
    izquierda izquierdo jahr jahre jambe jaw joint jour jpeg kidney kidneys klinik knee knees knie
    knochen kontrast kontrastmittel kopf krankenhaus label large larynx lat lateral leber left leg legs
    lendenwirbel lens lesion level ligament limb links lobe local localizer lossless lossy lower lumbar
    lung lunge lungs lymph magen magnitude male mammo mammography mandible mano map marrow mask mass
    matter maxilla mean measurement medial median medical medium meniscus mid middle mip mit mobile
    modality mode model motion mpr mra mri multi muscle mutter name nasal native neck neonate nerve
    neuro niere node nodule noise none normal nose not note nuclear null number oberarm oberschenkel
    oblique observation obstetric off ohne onco operator optic oral orbit orbita orbital organ original
    other outpatient ovary pacs pancreas panel parallel parotid patient pecho pelvic pelvis perfusion
    phantom phase physician physio pie pierna plain plan plane plaque pleura poignet poitrine portable
    portal position post posterior poumon pre preliminary presentation primary procedure processed prone
    prostate protocol proton pulmon pulmonary pulse rachis radial radiograph radiologist radiology
    radius ratio raw rechts recon reconstruction reference region registration renal repeat report
    rescan research resection rest result results retina right rodilla room rotation routine run
    sagittal sans scan scanner schadel schicht schulter scout screen screening secondary segment
    segmentation sein sequence serie series shoulder side signal sin single sinus skin skull slab slice
    slices soft special spectroscopy spin spinal spine spleen standard standing static stent sternum
    stomach stress structure studie study sub subject superior supine surface surgery survey
    susceptibility suv table task technician technique technologist template test tete text the thick
    thigh thin third thoracic thorax thyroid tibia time tip tissue tobillo toe tooth torax total trace
    tract transverse trauma trial trigger true tumor tumour turbo type ultrasound und unilateral unit
    university unspecified untersuchung upper urinary use uterus various vascular vein venous ventral
    ventre verlauf vertebra vessel view viewer views vol volume vorne voxel was water wave weight
    weighted whole width window wirbel wirbelsaule with without wrist xray zoom
"""
COMMON = frozenset(_COMMON.split()) | {"derived\\primary", "follow-up"} | NOT_IDENTIFYING | PARTICLES
"""Words of every study. A name that is one of them counts beside a title or another part of the name."""

_ALSO_NAMES = """
    african air american arab arabic art asian atheist black blanc blanche blanco blue brown buddhist
    case catholic caucasian chinese christian cross dark day east english european field french german
    gold gray green grey hand herz hindu hispanic indian islamic italian japanese jew jewish kind korean
    latin latina latino light long main marks max min mixed muslim native negro new noir north oriental
    orthodox page polish protestant red rouge round russian schwarz short silver small south spanish
    stone turkish wall weiss west white wood yellow young
"""
ORDINARY = COMMON | frozenset(_ALSO_NAMES.split())
"""COMMON, and words that are frequent names of people, too: they count in a PN and in no other value.

The ethnic group of a patient (WHITE) is no reason to cut the white matter out of a text.
"""

_TERMS = """
    add added aif angle anonymized apt arms arterial asl bands bb bir breathhold burned cbf cbv cine
    cor csa cube dis2d dis3d dixon dti dwi ecc ef eff enh epi extracted fa fid fil filtered fir fm
    fs gre grid hires ideal in inphase inv ir ivim kv max mean min minip mono monochrome mosaic mra
    mtt nd norm normalized opp outphase pancreas pc pca pd pdmap perf petct phantoms phasemap pjn
    planar ps psir quant r2 raw rcbf rcbv reformatted resampled rgb sag scd screenshot se sense sfi
    sigmaf ssfp ssp stack static stdev subtraction swi t1 t2 t2star tirm tof topo topogram tra trace
    tracew tse ttp uniform unsp unwrapped venography vessels vfa view wip zmap
"""
TERMS = ORDINARY | frozenset(_TERMS.split())
"""Words of defined terms, as of Image Type (PS3.3 C.7.6.1.1.2): in a CS they are no names."""
